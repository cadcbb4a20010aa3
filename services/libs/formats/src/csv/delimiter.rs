//! Character between two columns: given or detected.

/// Delimiters that are detected, each with a name for messages.
const DELIMITERS: [(u8, &str); 4] = [
    (b',', "comma"),
    (b';', "semicolon"),
    (b'\t', "tab"),
    (b'|', "pipe"),
];

/// Parses a delimiter: a name or one ASCII character.
///
/// # Errors
/// The text is neither.
pub fn delimiter(text: &str) -> Result<u8, String> {
    let named = DELIMITERS.iter().find(|(_, name)| *name == text);
    match (named, text.as_bytes()) {
        (Some((delimiter, _)), _) => Ok(*delimiter),
        (None, [byte]) if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => Err(format!(
            "must be comma, semicolon, tab, pipe or one ASCII character (got {text:?})"
        )),
    }
}

/// Returns the name of a delimiter, or the character itself if it has none.
#[must_use]
pub fn name(delimiter: u8) -> String {
    let named = DELIMITERS.iter().find(|(known, _)| *known == delimiter);
    named.map_or_else(
        || char::from(delimiter).to_string(),
        |(_, name)| (*name).to_owned(),
    )
}

/// Detects the delimiter: the one that is the most frequent in the header outside quotation marks.
/// A file with one column has a comma.
pub(super) fn detect(header: &[u8]) -> u8 {
    let mut is_quoted = false;
    let mut counts = [0_u32; DELIMITERS.len()];
    for byte in header {
        is_quoted ^= *byte == b'"';
        let index = DELIMITERS.iter().position(|(known, _)| known == byte);
        if let (Some(index), false) = (index, is_quoted) {
            counts[index] += 1;
        }
    }
    // Of equal counts, `max_by_key` returns the last.
    let most = DELIMITERS.iter().zip(counts).rev();
    most.max_by_key(|(_, count)| *count)
        .map_or(b',', |((delimiter, _), _)| *delimiter)
}
