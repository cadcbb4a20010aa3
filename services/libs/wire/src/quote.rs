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

/// Removes the values and positions of the input from a message, so that the same fault always
/// gives the same text.
#[must_use]
pub fn without_values(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    let mut rest = message;
    while let Some((before, value)) = rest.split_once(" (got ") {
        text.push_str(before);
        rest = after_value(value);
    }
    text.push_str(rest);
    // The form of what follows `is invalid: ` is unknown.
    for (mark, kept) in [
        (" at line ", ""),
        (" from index ", ""),
        ("is invalid: ", "is invalid"),
    ] {
        if let Some(at) = text.find(mark) {
            text.truncate(at + kept.len());
        }
    }
    text
}

/// Returns what follows a value and its closing parenthesis. A quoted value may contain
/// parentheses.
fn after_value(value: &str) -> &str {
    let mut is_quoted = false;
    let mut is_escaped = false;
    let end = value.find(|character| {
        let is_literal = std::mem::take(&mut is_escaped);
        match character {
            _ if is_literal => {}
            '\\' => is_escaped = is_quoted,
            '"' => is_quoted = !is_quoted,
            ')' => return !is_quoted,
            _ => {}
        }
        false
    });
    end.map_or("", |end| &value[end + 1..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn message_without_values_keeps_what_is_accepted() {
        for (message, expected) in [
            ("must be a string (got 5)", "must be a string"),
            ("is ahead (got 7); check it", "is ahead; check it"),
            (
                "is missing: no user (rule a)",
                "is missing: no user (rule a)",
            ),
            (
                "must be a JSON object: expected value at line 1 column 5",
                "must be a JSON object: expected value",
            ),
            (
                "must be UTF-8: invalid utf-8 sequence of 1 bytes from index 9",
                "must be UTF-8: invalid utf-8 sequence of 1 bytes",
            ),
            ("field is invalid: number 5", "field is invalid"),
            ("must be a (got \"x", "must be a"),
        ] {
            assert_eq!(without_values(message), expected);
        }
    }

    proptest! {
        #[test]
        fn any_quoted_value_is_removed(value in "[a-z \"\\\\()…]{0,80}") {
            let message = format!("must be one (got {}); see there", quoted(&value));
            prop_assert_eq!(without_values(&message), "must be one; see there");
        }
    }

    #[test]
    fn long_value_is_cut_between_characters() {
        assert_eq!(quoted("a\"b"), r#""a\"b""#);
        assert_eq!(quoted(&"é".repeat(33)), format!("\"{}\"…", "é".repeat(32)));
        assert_eq!(cut(&format!("x{}", "é".repeat(40))).len(), 63);
    }
}
