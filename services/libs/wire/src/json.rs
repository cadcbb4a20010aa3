//! Parses JSON so that an error names the invalid field.
//!
//! A field that occurs twice is an error, because parsers disagree on which of the two values
//! counts (RFC 8259, section 4). The derived implementations of serde detect this for the fields of
//! a message. Unknown fields are ignored, also if they occur twice.

mod visitors;

use serde::{
    Deserialize, Deserializer,
    de::{
        IgnoredAny,
        value::{self, MapDeserializer},
    },
};
use serde_path_to_error::{Deserializer as Tracked, Segment, Track};

use crate::FieldError;
use visitors::{ObjectVisitor, TextVisitor};

const OBJECT: &str = "a JSON object";

/// Parses the text of a JSON object.
///
/// # Errors
/// The text is not such an object. The error names the first invalid field.
pub fn parse<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, FieldError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let parsed = object(&mut json, OBJECT).and_then(|parsed| json.end().map(|()| parsed));
    // Tracking the path takes longer than parsing, so that only invalid objects are tracked.
    parsed.or_else(|_| {
        serde_json::from_str::<IgnoredAny>(text)
            .map_err(|error| FieldError::new("", format!("must be {OBJECT}: {error}")))?;
        tracked(&mut serde_json::Deserializer::from_str(text))
    })
}

/// Deserializes an object. The error names the first invalid field.
pub(crate) fn tracked<'de, T, D>(deserializer: D) -> Result<T, FieldError>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let mut track = Track::new();
    object(Tracked::new(deserializer, &mut track), OBJECT).map_err(|error| {
        let path = track.path();
        let name = path.iter().next_back().map(|segment| match segment {
            Segment::Map { key } => key.clone(),
            segment => segment.to_string(),
        });
        FieldError::from_serde(name.unwrap_or_default(), &error.to_string())
    })
}

/// Deserializes a struct from an object. Without this, serde accepts an array of the values too.
/// `accepted` ends the sentence that begins with the name of the field and "must be".
///
/// # Errors
/// The value is not an object, or a field of the object is invalid.
pub fn object<'de, T, D>(deserializer: D, accepted: &'static str) -> Result<T, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_map(ObjectVisitor::new(accepted))
}

/// Deserializes a text and parses it with `parse`. `accepted` ends the sentence that begins with
/// the name of the field and "must be".
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

/// Deserializes a text of any content. `accepted` is as for [`text`].
///
/// # Errors
/// The value is not a text.
pub fn any_text<'de, D>(deserializer: D, accepted: &'static str) -> Result<String, D::Error>
where
    D: Deserializer<'de>,
{
    text(deserializer, accepted, |text| Some(text.to_owned()))
}

/// Returns what a field of `T` accepts, or `None` if the field accepts null. The error for null
/// says what is accepted, whereas that for a missing field says the name alone.
fn accepted<'de, T: Deserialize<'de>>(field: &str) -> Option<String> {
    let null = MapDeserializer::<_, value::Error>::new(std::iter::once((field, ())));
    let error = FieldError::from_serde(String::new(), &T::deserialize(null).err()?.to_string());
    let accepted = error.message.strip_prefix("must be ")?;
    Some(accepted.trim_end_matches(" (got null)").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only the errors are of interest")]
    struct Message {
        name: String,
        count: Option<i64>,
        #[serde(default, deserialize_with = "inner")]
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only the errors are of interest")]
    struct Inner {
        #[serde(deserialize_with = "day")]
        day: u8,
    }

    fn inner<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Inner>, D::Error> {
        object(deserializer, "a JSON object with day").map(Some)
    }

    fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
        text(deserializer, "a day of the month", |text| text.parse().ok())
    }

    fn error(text: &str) -> String {
        let error = parse::<Message>(text).expect_err("an error");
        error.sentence("The message")
    }

    #[test]
    fn error_names_field_and_what_it_accepts() {
        assert_eq!(error(r#"{"name":5}"#), "name must be a string (got 5)");
        assert_eq!(
            error(r#"{"name":"a","count":"x"}"#),
            r#"count must be a whole number below 2^63 (got "x")"#
        );
        assert_eq!(
            error(r#"{"name":"a","inner":{"day":"x\n"}}"#),
            r#"day must be a day of the month (got "x\n")"#
        );
    }

    #[test]
    fn error_of_missing_field_says_what_it_accepts_at_any_depth() {
        assert_eq!(error("{}"), "name is missing; it must be a string");
        assert_eq!(
            error(r#"{"name":"a","inner":{}}"#),
            "day is missing; it must be a day of the month"
        );
    }

    #[test]
    fn error_names_values_as_json_does() {
        for (value, got) in [
            ("[1]", "an array"),
            ("{}", "an object"),
            ("null", "null"),
            ("true", "true"),
            ("-1", "-1"),
            ("1.5", "1.5"),
        ] {
            let error = error(&format!(r#"{{"name":{value}}}"#));
            assert_eq!(error, format!("name must be a string (got {got})"));
        }
        assert_eq!(
            error(r#"{"name":"a","inner":["1"]}"#),
            "inner must be a JSON object with day (got an array)"
        );
    }

    #[test]
    fn repeated_field_is_an_error_in_any_spelling() {
        assert_eq!(
            error(r#"{"name":"a","\u006eame":"b"}"#),
            "name must occur only once"
        );
    }

    #[test]
    fn repeated_unknown_field_is_ignored() {
        let text = r#"{"name":"a","other":1,"other":2}"#;
        assert_eq!(parse::<Message>(text).expect("a message").name, "a");
    }

    #[test]
    fn array_of_the_values_is_not_an_object() {
        assert_eq!(
            error(r#"["a",1]"#),
            "The message must be a JSON object (got an array)"
        );
    }

    #[test]
    fn quoted_value_is_cut_to_64_bytes_inside_its_quotes() {
        let long = "x".repeat(1_000);
        let cut = format!(r#"(got "{}"…)"#, "x".repeat(64));
        for field in ["count", "inner"] {
            let error = error(&format!(r#"{{"name":"a","{field}":"{long}"}}"#));
            assert!(error.ends_with(&cut), "{error}");
        }
        let error = error(&format!(r#"{{"name":"a","inner":{{"day":"{long}"}}}}"#));
        assert!(error.ends_with(&cut), "{error}");
    }

    #[test]
    fn error_names_field_with_a_text_that_is_not_unicode() {
        assert_eq!(
            error(r#"{"name":"\ud800"}"#),
            "name is invalid: unexpected end of hex escape"
        );
    }

    #[test]
    fn invalid_json_is_an_error() {
        assert_eq!(
            error(r#"{"name":"a""#),
            "The message must be a JSON object: EOF while parsing an object at line 1 column 11"
        );
        assert_eq!(
            error(r#"{"name":"a"} x"#),
            "The message must be a JSON object: trailing characters at line 1 column 14"
        );
    }
}
