//! Encoding of a file: given or detected, and the conversion to UTF-8.

use std::{
    borrow::Cow,
    io::{self, Cursor, Read},
    str,
};

use csv::{ByteRecord, StringRecord};
pub use encoding_rs::Encoding;
use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use encoding_rs_io::DecodeReaderBytesBuilder;

/// Number of bytes at the start of a file from which its encoding is detected.
const SNIFFED_BYTES: u64 = 4096;

/// Parses the name of an encoding, as in the Encoding Standard of WHATWG.
///
/// # Errors
/// The name is unknown.
pub fn encoding(name: &str) -> Result<&'static Encoding, String> {
    Encoding::for_label_no_replacement(name.as_bytes()).ok_or_else(|| {
        format!("must be the name of an encoding, such as utf-8, utf-16le or windows-1252 (got {name:?})")
    })
}

/// Decodes rows. Without a byte order mark and without a given encoding, the first row with a
/// character beyond ASCII decides: the file is UTF-8 if this row is valid UTF-8, or else
/// Windows-1252.
pub(super) struct Decoder {
    /// The encoding of the file. `None` until it is known.
    file: Option<&'static Encoding>,
    /// True if the reader converts the file to UTF-8 before it is split into rows.
    is_converted: bool,
}

impl Decoder {
    /// Detects the encoding of a file. Returns the file without a byte order mark, converted to
    /// UTF-8 if its bytes are no superset of ASCII or the encoding is given. A byte order mark takes
    /// precedence over the given encoding.
    pub(super) fn detect(
        mut file: impl Read + 'static,
        given: Option<&'static Encoding>,
    ) -> io::Result<(Self, Box<dyn Read>)> {
        let mut start = Vec::new();
        file.by_ref().take(SNIFFED_BYTES).read_to_end(&mut start)?;
        let (encoding, mark_bytes) = match Encoding::for_bom(&start) {
            Some((encoding, bytes)) => (Some(encoding), bytes),
            None => (given.or_else(|| utf_16_without_mark(&start)), 0),
        };
        let is_converted = encoding.is_some_and(|encoding| encoding != UTF_8);
        start.drain(..mark_bytes);
        let file = Cursor::new(start).chain(file);
        let file: Box<dyn Read> = if is_converted {
            let mut builder = DecodeReaderBytesBuilder::new();
            builder.encoding(encoding).bom_sniffing(false);
            Box::new(builder.build(file))
        } else {
            Box::new(file)
        };
        let decoder = Self {
            file: encoding,
            is_converted,
        };
        Ok((decoder, file))
    }

    /// Decodes a row and trims its cells. Returns false, with replacement characters in the row, if
    /// the row is not valid UTF-8.
    pub(super) fn decode(&mut self, row: &ByteRecord) -> (StringRecord, bool) {
        let is_utf_8 = row.iter().all(|cell| str::from_utf8(cell).is_ok());
        if self.file.is_none() && !row.as_slice().is_ascii() {
            self.file = Some(if is_utf_8 { UTF_8 } else { WINDOWS_1252 });
        }
        let of_row = match self.file {
            Some(encoding) if !self.is_converted => encoding,
            _ => UTF_8,
        };
        let cells = row
            .iter()
            .map(|cell| of_row.decode_without_bom_handling(cell).0);
        let cells = cells.map(|cell: Cow<str>| cell.trim().to_owned());
        (cells.collect(), of_row != UTF_8 || is_utf_8)
    }

    /// Returns the name of the encoding. A file that is all ASCII is UTF-8.
    pub(super) fn name(&self) -> &'static str {
        self.file.unwrap_or(UTF_8).name()
    }
}

/// Detects UTF-16 without a byte order mark. The header of a log is mostly ASCII, so every second
/// byte is zero. No other encoding of a text has zero bytes.
fn utf_16_without_mark(start: &[u8]) -> Option<&'static Encoding> {
    match start {
        [0, high, ..] if *high != 0 => Some(UTF_16BE),
        [low, 0, ..] if *low != 0 => Some(UTF_16LE),
        _ => None,
    }
}
