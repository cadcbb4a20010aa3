//! Framing of messages in a stream (RFC 6587): octet counting or non-transparent framing. TLS
//! (RFC 5425) uses octet counting.

use rollcall_attendance::event::FieldError;

/// Maximum size of a message in bytes. RFC 5425, section 4.3.1 recommends at least 8192.
pub const LONGEST: usize = 65_536;

/// Maximum number of digits of a length.
const MAX_DIGITS: usize = 5;
/// Bytes that end a frame with non-transparent framing. Some senders use NUL.
const TRAILERS: [u8; 2] = [b'\n', 0];

/// Splits a stream into messages. The first bytes of each frame determine its framing (RFC 6587,
/// section 3.4).
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
        let (skip, length, end) = match Framing::of(rest) {
            None => return Ok(None),
            Some(Framing::OctetCounting { skip, length }) => (skip, length, skip + length),
            Some(Framing::NonTransparent) => {
                match rest.iter().position(|byte| TRAILERS.contains(byte)) {
                    Some(length) => (0, length, length + 1),
                    None if rest.len() > LONGEST => return Err(too_long(rest.len())),
                    None => return Ok(None),
                }
            }
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

/// Framing of one frame.
enum Framing {
    /// The frame begins with its length.
    OctetCounting {
        /// Size of the length field with its space.
        skip: usize,
        /// Length of the message.
        length: usize,
    },
    /// The frame ends with a trailer.
    NonTransparent,
}

impl Framing {
    /// Returns the framing of a frame from its first bytes, or `None` if there are too few. A
    /// length is followed by a space and the priority of the message. A line without a priority may
    /// begin with a digit too.
    fn of(rest: &[u8]) -> Option<Self> {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 || digits > MAX_DIGITS || rest[0] == b'0' {
            return (!rest.is_empty()).then_some(Self::NonTransparent);
        }
        match (rest.get(digits), rest.get(digits + 1)) {
            (None, _) | (Some(b' '), None) => None,
            (Some(b' '), Some(b'<')) => {
                let number = |length, digit: &u8| length * 10 + usize::from(digit - b'0');
                let length = rest[..digits].iter().fold(0, number);
                let skip = digits + 1;
                Some(Self::OctetCounting { skip, length })
            }
            _ => Some(Self::NonTransparent),
        }
    }
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
    fn line_without_a_priority_may_begin_with_anything() {
        let lines = [
            "Nov 26 09:00:01 gw a: b",
            "2026-11-26 x",
            "1,2026/11/26",
            "{}",
            "7 dwarfs",
        ];
        let mut frames = Frames::default();
        frames.push(format!("{}\n{}\0", lines[0], lines[1..].join("\n")).as_bytes());
        assert_eq!(all(&mut frames), Ok(lines.map(ToOwned::to_owned).to_vec()));
        assert_eq!(frames.unfinished(), 0);
    }

    #[test]
    fn frame_that_is_too_long_returns_error() {
        let mut counted = Frames::default();
        counted.push(b"99999 <1>");
        assert!(counted.take().is_err());
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
