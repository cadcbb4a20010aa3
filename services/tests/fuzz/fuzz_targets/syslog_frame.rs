#![no_main]
use rollcall_formats::syslog::Frames;
use libfuzzer_sys::fuzz_target;

fn messages(parts: &[&[u8]]) -> (Vec<Vec<u8>>, bool) {
    let mut frames = Frames::default();
    let mut messages = Vec::new();
    for part in parts {
        frames.push(part);
        loop {
            match frames.take() {
                Ok(Some(message)) => messages.push(message.to_vec()),
                Ok(None) => break,
                Err(_) => return (messages, true),
            }
        }
    }
    (messages, false)
}

// Asserts that the messages do not depend on how the stream is split.
fuzz_target!(|stream: &[u8]| {
    let (left, right) = stream.split_at(stream.len() / 2);
    let bytes: Vec<&[u8]> = stream.chunks(1).collect();
    assert_eq!(messages(&[left, right]), messages(&[stream]));
    assert_eq!(messages(&bytes), messages(&[stream]));
});
