//! The error of one field of a message.

use std::{borrow::Cow, fmt};

use crate::quote::{SHOWN_BYTES, cut};

/// Says which field of a message is invalid, and what the field accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Name of the field. Empty if the error concerns the whole message.
    pub field: Cow<'static, str>,
    /// The rest of the sentence that begins with the name, such as `is missing`.
    pub message: String,
}

impl FieldError {
    /// Creates an error of `field`.
    pub fn new(field: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }

    /// Returns the error as a sentence. `whole` names the message where no field is at fault.
    #[must_use]
    pub fn sentence(&self, whole: &str) -> String {
        let subject = if self.field.is_empty() {
            whole
        } else {
            &self.field
        };
        format!("{subject} {}", self.message)
    }

    /// Creates an error from the text of an error of serde, which keeps its parts to itself.
    pub(crate) fn from_serde(field: String, text: &str) -> Self {
        let text = text.rsplit_once(" at line ").map_or(text, |(text, _)| text);
        let name = |prefix| Some(text.strip_prefix(prefix)?.strip_suffix('`')?.to_owned());
        if let Some(name) = name("missing field `") {
            return Self::new(name, "is missing");
        }
        if let Some(name) = name("duplicate field `") {
            return Self::new(name, "occurs twice");
        }
        let invalid = text
            .strip_prefix("invalid type: ")
            .or_else(|| text.strip_prefix("invalid value: "));
        match invalid.and_then(|invalid| invalid.rsplit_once(", expected ")) {
            Some((got, accepted)) => {
                let accepted = accepted.replace("i64", "a whole number");
                Self::new(field, format!("must be {accepted} (got {})", quoted(got)))
            }
            None if text.starts_with("must ") => Self::new(field, text),
            None => Self::new(field, format!("is invalid: {}", cut_text(text))),
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.sentence("The message"))
    }
}

impl std::error::Error for FieldError {}

/// Formats the value of an error of serde, such as ``integer `5` `` or `string "x"`.
fn quoted(got: &str) -> String {
    match got.strip_prefix("string ") {
        Some(text) => cut_text(text),
        None => got.replace('`', ""),
    }
}

fn cut_text(text: &str) -> String {
    // The quotation marks are no part of the value.
    if text.len() <= SHOWN_BYTES + 2 {
        return text.to_owned();
    }
    format!("{}…", cut(text))
}
