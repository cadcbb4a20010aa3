//! Values of the input in messages.

/// Maximum number of bytes of a value that a message repeats.
pub const SHOWN_BYTES: usize = 64;

/// Cuts a value to [`SHOWN_BYTES`] at a character boundary.
#[must_use]
pub fn cut(value: &str) -> &str {
    &value[..value.floor_char_boundary(SHOWN_BYTES)]
}

/// Quotes a value for a message, cut to [`SHOWN_BYTES`], so that an answer cannot be much larger
/// than its question.
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
