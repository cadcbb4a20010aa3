//! The error of one field of a message.

use std::{borrow::Cow, fmt};

use crate::quote::{cut, quoted};

/// Says which field of a message is invalid, and what the field accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Name of the field. Empty if the error concerns the whole message.
    pub field: Cow<'static, str>,
    /// The rest of the sentence that begins with the name, such as `must be a string (got 5)`.
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

    /// Creates an error of a required field. `accepted` ends the sentence that begins with the name
    /// of the field and "must be".
    pub fn missing(field: impl Into<Cow<'static, str>>, accepted: &str) -> Self {
        Self::new(field, format!("is missing; it must be {accepted}"))
    }

    /// Returns the error as a sentence. `whole` names the message if no field is at fault.
    #[must_use]
    pub fn sentence(&self, whole: &str) -> String {
        let subject = if self.field.is_empty() {
            whole
        } else {
            &self.field
        };
        format!("{subject} {}", self.message)
    }

    /// Creates an error from the text of an error of serde, which has no accessors for its parts.
    pub(crate) fn from_serde(field: String, text: &str) -> Self {
        let text = without_position(text);
        if let Some((name, accepted)) = missing_parts(text) {
            return Self::missing(name.to_owned(), accepted);
        }
        if let Some(name) = named(text, "duplicate field `") {
            return Self::new(name.to_owned(), "must occur only once");
        }
        let invalid = text
            .strip_prefix("invalid type: ")
            .or_else(|| text.strip_prefix("invalid value: "));
        match invalid.and_then(|invalid| invalid.rsplit_once(", expected ")) {
            Some((got, accepted)) => {
                let accepted = accepted.replace("i64", "a whole number below 2^63");
                Self::new(field, format!("must be {accepted} (got {})", json_of(got)))
            }
            None if text.starts_with("must ") => Self::new(field, text),
            None => Self::new(field, format!("is invalid: {}", cut(text))),
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.sentence("The message"))
    }
}

impl std::error::Error for FieldError {}

/// Returns the name in an error of serde for a missing field that does not yet say what the field
/// accepts.
pub(crate) fn missing(text: &str) -> Option<&str> {
    named(without_position(text), "missing field `")
}

/// Returns the text of an error for a missing field that says what the field accepts. Its
/// counterpart is [`missing_parts`].
pub(crate) fn missing_text(field: &str, accepted: &str) -> String {
    format!("missing field `{field}`, expected {accepted}")
}

fn missing_parts(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix("missing field `")?;
    text.split_once("`, expected ")
}

fn named<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    text.strip_prefix(prefix)?.strip_suffix('`')
}

/// Removes the position that `serde_json` appends, such as ` at line 1 column 5`.
fn without_position(text: &str) -> &str {
    let is_position = |rest: &str| {
        rest.bytes()
            .all(|byte| b"0123456789 column".contains(&byte))
    };
    match text.rsplit_once(" at line ") {
        Some((message, rest)) if is_position(rest) => message,
        _ => text,
    }
}

/// Formats the value in an error of serde as JSON. Serde has the forms ``integer `5` ``,
/// `string "x"` and `sequence`. An array or an object may be large, so that only its type is named.
fn json_of(got: &str) -> String {
    if let Some(text) = got.strip_prefix("string ") {
        // The quoted text is in the syntax of Rust, which differs from JSON in rare escapes.
        let text = serde_json::from_str::<String>(text);
        return text.map_or("a string".into(), |text| quoted(&text));
    }
    match got {
        "sequence" => "an array".into(),
        "map" => "an object".into(),
        "unit value" => "null".into(),
        other => other.split('`').nth(1).unwrap_or(other).into(),
    }
}
