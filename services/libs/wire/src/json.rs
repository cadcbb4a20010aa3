//! Parses JSON so that an error names the invalid field.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Unexpected, Visitor, value::MapAccessDeserializer},
};
use serde_path_to_error::{Deserializer as Tracked, Segment, Track};

use crate::FieldError;

/// Parses the text of a JSON object.
///
/// # Errors
/// The text is no such object. The error names the first invalid field.
pub fn parse<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, FieldError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let parsed = object(&mut json).and_then(|parsed| json.end().map(|()| parsed));
    // Tracking the path takes longer than parsing, so that only invalid objects are tracked.
    parsed.or_else(|error| {
        let mut json = serde_json::Deserializer::from_str(text);
        tracked(&mut json)
            .and_then(|_: T| Err(FieldError::from_serde(String::new(), &error.to_string())))
    })
}

/// Deserializes an object. The error names the first invalid field.
pub(crate) fn tracked<'de, T, D>(deserializer: D) -> Result<T, FieldError>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let mut track = Track::new();
    object(Tracked::new(deserializer, &mut track)).map_err(|error| {
        let path = track.path();
        let name = path.iter().next_back().map(|segment| match segment {
            Segment::Map { key } => key.clone(),
            segment => segment.to_string(),
        });
        FieldError::from_serde(name.unwrap_or_default(), &error.to_string())
    })
}

/// Deserializes a struct from an object. Without this, serde accepts an array of the values too.
///
/// # Errors
/// The value is no object, or a field of it is invalid.
pub fn object<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_map(ObjectVisitor(PhantomData))
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields))
    }
}

/// Deserializes a text and parses it with `parse`. `accepted` ends the sentence that begins with
/// the field's name and "must be".
///
/// # Errors
/// The value is not a text, or `parse` returns `None`.
pub fn text<'de, T, D>(
    deserializer: D,
    accepted: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
{
    deserializer.deserialize_str(TextVisitor { accepted, parse })
}

struct TextVisitor<P> {
    accepted: &'static str,
    parse: P,
}

impl<T, P: FnOnce(&str) -> Option<T>> Visitor<'_> for TextVisitor<P> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.accepted)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        let Self { accepted, parse } = self;
        parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &accepted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only the errors are of interest")]
    struct Message {
        name: String,
        count: Option<i64>,
    }

    fn error(text: &str) -> String {
        let error = parse::<Message>(text).expect_err("an error");
        error.sentence("The message")
    }

    #[test]
    fn error_names_field_and_what_it_accepts() {
        assert_eq!(
            error(r#"{"name":5}"#),
            "name must be a string (got integer 5)"
        );
        assert_eq!(
            error(r#"{"name":"a","count":"x"}"#),
            r#"count must be a whole number (got "x")"#
        );
        assert_eq!(error("{}"), "name is missing");
    }

    #[test]
    fn repeated_field_is_an_error_in_any_spelling() {
        assert_eq!(
            error(r#"{"name":"a","\u006eame":"b"}"#),
            "name occurs twice"
        );
    }

    #[test]
    fn array_of_the_values_is_no_object() {
        assert_eq!(
            error(r#"["a",1]"#),
            "The message must be a JSON object (got sequence)"
        );
    }

    #[test]
    fn quoted_value_is_cut_to_64_bytes() {
        let long = format!(r#"{{"name":"a","count":"{}"}}"#, "x".repeat(1_000));
        assert!(error(&long).len() < 64 + 50, "{}", error(&long));
    }

    #[test]
    fn text_after_the_object_is_an_error() {
        assert_eq!(
            error(r#"{"name":"a"} x"#),
            "The message is invalid: trailing characters"
        );
    }
}
