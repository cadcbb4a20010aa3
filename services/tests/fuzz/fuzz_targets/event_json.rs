#![no_main]
use libfuzzer_sys::fuzz_target;
use rollcall_formats::json::{parse_event, parse_line, split};

fuzz_target!(|body: &[u8]| {
    let arrival = rollcall_fuzz::arrival();
    let elements = split(body, 100).unwrap_or_default();
    let elements = elements.into_iter().map(|event| parse_event(event, &arrival));
    let lines = body.split(|byte| *byte == b'\n').map(|line| parse_line(line, &arrival));
    for event in elements.chain(lines).flatten().flatten() {
        assert_eq!(event.clone().digest(), event.digest());
    }
});
