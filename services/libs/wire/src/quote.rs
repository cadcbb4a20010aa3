//! Quotes values of the input in messages.

/// Maximum length of a quoted value, in bytes.
pub const SHOWN_BYTES: usize = 64;

/// Truncates a value to [`SHOWN_BYTES`] at a character boundary.
#[must_use]
pub fn cut(value: &str) -> &str {
    &value[..value.floor_char_boundary(SHOWN_BYTES)]
}

/// Quotes a value for a message, truncated to [`SHOWN_BYTES`], so that a response cannot be much
/// larger than its request.
#[must_use]
pub fn shown(value: &str) -> String {
    let cut = cut(value);
    let ellipsis = if cut.len() < value.len() { "…" } else { "" };
    format!("{cut:?}{ellipsis}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_cut_between_characters() {
        assert_eq!(shown("a\"b"), r#""a\"b""#);
        assert_eq!(shown(&"é".repeat(33)), format!("\"{}\"…", "é".repeat(32)));
        assert_eq!(cut(&format!("x{}", "é".repeat(40))).len(), 63);
    }
}
