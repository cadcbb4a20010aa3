//! Framing of messages in a stream (RFC 6587): octet counting or non-transparent framing. TLS
//! (RFC 5425) uses octet counting.

use rollcall_attendance::event::FieldError;

/// Maximum size of a message in bytes. RFC 5425, section 4.3.1 recommends at least 8192.
pub const LONGEST: usize = 65_536;

/// Splits a stream into messages. The first byte of each frame determines its framing: a digit
/// begins a length, and `<` begins a message (RFC 6587, section 3.4).
#[derive(Debug, Default)]
pub struct Frames {
    waiting: Vec<u8>,
    taken: usize,
}

impl Frames {
    /// Adds bytes that were received.
    pub fn push(&mut self, bytes: &[u8]) {
        self.waiting.drain(..self.taken);
        self.taken = 0;
        self.waiting.extend_from_slice(bytes);
    }

    /// Returns the next complete message, or `None` until more bytes are added.
    ///
    /// # Errors
    /// The frame is invalid. No further message can be read from this stream.
    pub fn take(&mut self) -> Result<Option<&[u8]>, FieldError> {
        // Skip line ends between frames, which some senders add.
        while matches!(self.waiting.get(self.taken), Some(b'\n' | b'\r' | 0)) {
            self.taken += 1;
        }
        let rest = &self.waiting[self.taken..];
        let (skip, length, end) = match rest.first() {
            None => return Ok(None),
            Some(b'1'..=b'9') => match counted(rest)? {
                Some((skip, length)) => (skip, length, skip + length),
                None => return Ok(None),
            },
            Some(_) => match rest.iter().position(|byte| *byte == b'\n') {
                Some(length) => (0, length, length + 1),
                None if rest.len() > LONGEST => return Err(too_long(rest.len())),
                None => return Ok(None),
            },
        };
        if length > LONGEST {
            return Err(too_long(length));
        }
        let start = self.taken + skip;
        if self.waiting.len() < start + length {
            return Ok(None);
        }
        self.taken += end;
        Ok(Some(self.waiting[start..start + length].trim_ascii_end()))
    }

    /// Returns the number of bytes of an incomplete message.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.waiting.len() - self.taken
    }
}

/// Parses the length of an octet-counted frame. Returns the size of the length field including its
/// space, and the length.
fn counted(rest: &[u8]) -> Result<Option<(usize, usize)>, FieldError> {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 5 || rest.get(digits).is_some_and(|byte| *byte != b' ') {
        return Err(FieldError::new(
            "frame",
            "must begin with a length and a space, or with <",
        ));
    }
    if digits == rest.len() {
        return Ok(None);
    }
    let length = rest[..digits]
        .iter()
        .fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
    Ok(Some((digits + 1, length)))
}

fn too_long(bytes: usize) -> FieldError {
    FieldError::new(
        "frame",
        format!("must be at most {LONGEST} bytes (got {bytes} or more)"),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(frames: &mut Frames) -> Result<Vec<String>, FieldError> {
        let mut messages = Vec::new();
        while let Some(message) = frames.take()? {
            messages.push(String::from_utf8_lossy(message).into_owned());
        }
        Ok(messages)
    }

    #[test]
    fn both_framings_are_accepted_in_one_stream() {
        let mut frames = Frames::default();
        frames.push(b"3 <1>\n<2>a\r\n6 <3>\nb\n<4>");
        assert_eq!(
            all(&mut frames),
            Ok(vec!["<1>".into(), "<2>a".into(), "<3>\nb".into()])
        );
        assert_eq!(frames.unfinished(), 3);
        frames.push(b"c\n");
        assert_eq!(all(&mut frames), Ok(vec!["<4>c".into()]));
    }

    #[test]
    fn invalid_frame_returns_error() {
        for bytes in [&b"99999999 <1>"[..], b"12x", b"99999 "] {
            let mut frames = Frames::default();
            frames.push(bytes);
            assert!(frames.take().is_err(), "{}", String::from_utf8_lossy(bytes));
        }
        let mut endless = Frames::default();
        endless.push(&vec![b'<'; LONGEST + 1]);
        assert!(endless.take().is_err());
    }

    proptest! {
        #[test]
        fn messages_do_not_depend_on_how_the_stream_is_split(
            messages in prop::collection::vec(("<[a-z ]{0,30}[a-z]", any::<bool>()), 1..6),
            cuts in prop::collection::vec(1..9_usize, 1..40),
        ) {
            let mut stream = Vec::new();
            for (message, counted) in &messages {
                let frame = if *counted {
                    format!("{} {message}", message.len())
                } else {
                    format!("{message}\n")
                };
                stream.extend(frame.bytes());
            }
            let mut frames = Frames::default();
            let (mut read, mut rest) = (Vec::new(), &stream[..]);
            let mut cuts = cuts.into_iter().cycle();
            while !rest.is_empty() {
                let (part, others) = rest.split_at(cuts.next().unwrap_or(1).min(rest.len()));
                frames.push(part);
                read.extend(all(&mut frames)?);
                rest = others;
            }
            let expected: Vec<String> = messages.into_iter().map(|(message, _)| message).collect();
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn arbitrary_bytes_are_read_without_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let mut frames = Frames::default();
            frames.push(&bytes);
            let _ = all(&mut frames);
        }
    }
}
