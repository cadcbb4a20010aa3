//! Texts of limited length.

/// Error of a text. `Display` writes the rest of the sentence that begins with the name of the
/// field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// The text is too long.
    #[error("must be at most {max_bytes} bytes (got {bytes})")]
    TooLong {
        /// Length of the text.
        bytes: usize,
        /// Maximum length.
        max_bytes: usize,
    },
    /// The text has a control character.
    #[error("must not contain a control character")]
    ControlCharacter,
}

/// Validates a text. An empty text is absent, because gateways write empty columns for unknown
/// values.
///
/// # Errors
/// The text is too long or has a control character.
pub(crate) fn text(value: Option<String>, max_bytes: usize) -> Result<Option<String>, TextError> {
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let bytes = value.len();
    if bytes > max_bytes {
        return Err(TextError::TooLong { bytes, max_bytes });
    }
    if value.chars().any(char::is_control) {
        return Err(TextError::ControlCharacter);
    }
    Ok(Some(value))
}
