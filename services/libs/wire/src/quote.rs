//! Quotes values of the input in messages.

/// Maximum length of a quoted value, in bytes.
const MAX_QUOTED_BYTES: usize = 64;

/// Truncates a value to 64 bytes at a character boundary.
#[must_use]
pub fn cut(value: &str) -> &str {
    &value[..value.floor_char_boundary(MAX_QUOTED_BYTES)]
}

/// Quotes a value for a message, so that a response cannot be much larger than its request. A value
/// longer than 64 bytes is truncated, and `…` follows the closing quotation mark.
#[must_use]
pub fn quoted(value: &str) -> String {
    let cut = cut(value);
    let ellipsis = if cut.len() < value.len() { "…" } else { "" };
    format!("{cut:?}{ellipsis}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_value_is_cut_between_characters() {
        assert_eq!(quoted("a\"b"), r#""a\"b""#);
        assert_eq!(quoted(&"é".repeat(33)), format!("\"{}\"…", "é".repeat(32)));
        assert_eq!(cut(&format!("x{}", "é".repeat(40))).len(), 63);
    }
}
