//! JSON: one event, an array of them, or NDJSON.

mod elements;

use rollcall_attendance::{
    event::{Arrival, Event, FieldError, RawEvent, TEXT_BYTES},
    shown::{cut, shown},
};
use serde::{Deserialize, de::DeserializeSeed};
use serde_json::{Value, value::RawValue};

/// Maximum length of a text in JSON, in bytes: each byte of the longest text may be written as
/// `\u0041`.
const JSON_TEXT_BYTES: usize = 6 * TEXT_BYTES + 2;

/// An event of the body, or why it is none.
pub type Item = Result<Event, Rejected>;

/// An event that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Event ID, truncated to 64 bytes, if it could be read.
    pub event_id: Option<String>,
    /// The field at fault, if it is one.
    pub field: Option<&'static str>,
    /// What is wrong, and what the field takes.
    pub message: String,
}

impl Rejected {
    /// Creates a rejection of input without an event ID.
    pub fn nameless(message: impl Into<String>) -> Self {
        Self {
            event_id: None,
            field: None,
            message: message.into(),
        }
    }
}

/// Reason why no event of a body can be recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The body contains no event.
    #[error(
        "{0}; takes one event, an array of events, or one event a line with Content-Type: application/x-ndjson. Nothing was stored."
    )]
    NoEvents(String),
    /// The body contains more than the given number of events.
    #[error("There are more than {0} events. Nothing was stored. Send them in parts.")]
    TooMany(usize),
}

/// Splits a body, which is one event or an array, into the texts of at most `most` events. Each
/// text is valid JSON, but not necessarily an event.
///
/// # Errors
/// The body is not JSON, or contains no events or too many.
pub fn split(body: &[u8], most: usize) -> Result<Vec<&str>, Unreadable> {
    let not_json = |error| Unreadable::NoEvents(format!("The body is not JSON: {error}"));
    if body.trim_ascii_start().starts_with(b"[") {
        let mut json = serde_json::Deserializer::from_slice(body);
        let elements = elements::Elements(most);
        let elements = elements.deserialize(&mut json).map_err(not_json)?;
        let elements = elements.ok_or(Unreadable::TooMany(most))?;
        json.end().map_err(not_json)?;
        return Ok(elements);
    }
    let whole: &RawValue = serde_json::from_slice(body).map_err(not_json)?;
    if whole.get().starts_with('{') {
        Ok(vec![whole.get()])
    } else {
        Err(Unreadable::NoEvents(
            "The body is JSON, but no event".into(),
        ))
    }
}

/// Returns the error for a body of NDJSON in which no line is JSON.
#[must_use]
pub fn no_json_line() -> Unreadable {
    Unreadable::NoEvents("No line of the body is JSON".into())
}

/// Returns true if a line is any JSON value.
#[must_use]
pub fn is_json(line: &[u8]) -> bool {
    serde_json::from_slice::<&RawValue>(line).is_ok()
}

/// Parses a line of NDJSON.
///
/// # Errors
/// It is no JSON object, or no event.
pub fn parse_line(line: &[u8], arrival: &Arrival) -> Item {
    match std::str::from_utf8(line) {
        Ok(line) => parse_event(line, arrival),
        Err(error) => Err(Rejected::nameless(format!("is no JSON object: {error}"))),
    }
}

/// The unparsed fields of an event, so that an error can name the invalid field. Unknown fields are
/// ignored, as everywhere in version 1.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Fields<'a> {
    #[serde(borrow, default)]
    event_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    r#type: Option<&'a RawValue>,
    #[serde(borrow, default)]
    session_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    user: Option<&'a RawValue>,
    #[serde(borrow, default)]
    realm: Option<&'a RawValue>,
    #[serde(borrow, default)]
    occurred_at: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reason: Option<&'a RawValue>,
    #[serde(borrow, default)]
    display_name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    client_ip: Option<&'a RawValue>,
    #[serde(borrow, default)]
    wan_ip: Option<&'a RawValue>,
    #[serde(borrow, default)]
    mac: Option<&'a RawValue>,
    #[serde(borrow, default)]
    device: Option<&'a RawValue>,
    #[serde(borrow, default)]
    active_seconds: Option<&'a RawValue>,
    #[serde(borrow, default)]
    complete_through: Option<&'a RawValue>,
}

/// One event.
///
/// # Errors
/// It is no JSON object, or no event.
pub fn parse_event(text: &str, arrival: &Arrival) -> Item {
    // Reject other JSON before serde reads it. serde would accept an array of the fields' values,
    // and would repeat a long text in its message.
    if !text.trim_start().starts_with('{') {
        return Err(Rejected::nameless(format!(
            "got {}, takes a JSON object",
            shown(text)
        )));
    }
    let fields: Fields = serde_json::from_str(text)
        .map_err(|error| Rejected::nameless(format!("is no JSON object: {error}")))?;
    let event_id = fields
        .event_id
        .and_then(|value| serde_json::from_str::<String>(value.get()).ok())
        .map(|event_id| cut(&event_id).to_owned());
    raw(&fields)
        .and_then(|raw| Event::parse(raw, arrival))
        .map_err(|FieldError { field, message }| Rejected {
            event_id,
            field: Some(field),
            message,
        })
}

/// A raw as an event of JSON.
#[must_use]
pub fn write(mut raw: RawEvent) -> String {
    let seconds = raw
        .active_seconds
        .map(|seconds| ("active_seconds".to_owned(), Value::from(seconds)));
    let texts = raw
        .texts()
        .into_iter()
        .filter_map(|(name, text)| Some((name.to_owned(), Value::from(text.take()?))));
    Value::Object(texts.chain(seconds).collect()).to_string()
}

fn raw(fields: &Fields) -> Result<RawEvent, FieldError> {
    Ok(RawEvent {
        event_id: text("event_id", fields.event_id)?,
        kind: text("type", fields.r#type)?,
        session_id: text("session_id", fields.session_id)?,
        user: text("user", fields.user)?,
        realm: text("realm", fields.realm)?,
        occurred_at: text("occurred_at", fields.occurred_at)?,
        reason: text("reason", fields.reason)?,
        display_name: text("display_name", fields.display_name)?,
        client_ip: text("client_ip", fields.client_ip)?,
        wan_ip: text("wan_ip", fields.wan_ip)?,
        mac: text("mac", fields.mac)?,
        device: text("device", fields.device)?,
        active_seconds: value("active_seconds", fields.active_seconds, "whole seconds")?,
        complete_through: text("complete_through", fields.complete_through)?,
        ..RawEvent::default()
    })
}

fn text(field: &'static str, raw: Option<&RawValue>) -> Result<Option<String>, FieldError> {
    value(field, raw, "text")
}

/// `null` is absent.
fn value<'a, T: Deserialize<'a>>(
    field: &'static str,
    raw: Option<&'a RawValue>,
    takes: &str,
) -> Result<Option<T>, FieldError> {
    let Some(raw) = raw else { return Ok(None) };
    if raw.get().len() > JSON_TEXT_BYTES {
        let message = format!("has {} bytes, takes at most {TEXT_BYTES}", raw.get().len());
        return Err(FieldError::new(field, message));
    }
    serde_json::from_str(raw.get())
        .map_err(|_| FieldError::new(field, format!("got {}, takes {takes}", shown_raw(raw))))
}

/// Returns JSON as it was sent, truncated.
fn shown_raw(raw: &RawValue) -> &str {
    cut(raw.get())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = r#"{"event_id":"e1","type":"login","session_id":"s","user":"u","occurred_at":"2025-01-01T00:00:00Z","extra":1}"#;

    fn arrival() -> Arrival {
        let forever = jiff::SignedDuration::from_hours(24 * 365 * 100);
        Arrival {
            at: "2025-01-01T00:00:00Z".parse().expect("an instant"),
            earliest: jiff::Timestamp::MIN,
            ahead: forever,
            skew: forever,
        }
    }

    fn outcomes(body: &str) -> Vec<Option<Rejected>> {
        split(body.as_bytes(), 1_000)
            .expect("events")
            .into_iter()
            .map(|event| parse_event(event, &arrival()).err())
            .collect()
    }

    #[test]
    fn a_bad_event_rejects_itself_alone() {
        let lone_surrogate = r#"{"event_id":"\ud800"}"#;
        let items = outcomes(&format!(
            "[{GOOD},5,{{\"event_id\":\"e2\",\"type\":7}},{lone_surrogate},[\"e3\",\"login\",\"s\",\"u\"],{GOOD}]"
        ));
        assert_eq!(
            items.iter().map(Option::is_none).collect::<Vec<_>>(),
            [true, false, false, false, false, true]
        );
        let refused = items[2].as_ref().expect("a rejection");
        assert_eq!(
            (
                refused.event_id.as_deref(),
                refused.field,
                refused.message.as_str()
            ),
            (Some("e2"), Some("type"), "got 7, takes text")
        );
    }

    #[test]
    fn a_body_that_is_not_json_is_refused_whole() {
        for body in ["", "5", "{", "[{},", "[1]]", "[1 2]", "\"[]\"", "[] x"] {
            let refused = split(body.as_bytes(), 10);
            assert!(
                matches!(refused, Err(Unreadable::NoEvents(_))),
                "{body:?}: {refused:?}"
            );
        }
        assert_eq!(split(b" [] ", 10), Ok(vec![]));
        assert_eq!(split(b" {} ", 10), Ok(vec!["{}"]));
    }

    #[test]
    fn an_array_of_too_many_events_is_refused_whole() {
        assert_eq!(
            split(b"[1,[2],{\"3\":[]}]", 3),
            Ok(vec!["1", "[2]", "{\"3\":[]}"])
        );
        assert_eq!(split(b"[1,2,3,4,5]", 3), Err(Unreadable::TooMany(3)));
    }

    #[test]
    fn a_lone_surrogate_in_any_text_field_is_refused_by_the_name_of_the_field() {
        for (name, _) in RawEvent::default().texts() {
            let event = format!(r#"{{"event_id":"e","{name}":"\ud800"}}"#);
            let event = event.replace(r#""event_id":"e","event_id""#, r#""event_id""#);
            let refused = parse_event(&event, &arrival()).expect_err("a rejection");
            assert_eq!(refused.field, Some(name));
            assert_eq!(refused.message, r#"got "\ud800", takes text"#);
        }
    }

    #[test]
    fn what_is_repeated_of_the_input_is_cut_to_64_bytes() {
        let long = "x".repeat(1_000);
        let id = "i".repeat(128);
        for event in [
            format!("\"{long}\""),
            long.clone(),
            format!(r#"{{"event_id":"{id}","type":"{}"}}"#, &long[..200]),
            format!(r#"{{"event_id":"{id}","type":[{}1]}}"#, "1,".repeat(500)),
            format!(r#"{{"event_id":"{id}","type":"{long}"}}"#),
            format!(r#"{{"{long}":1,"event_id":"{long}"}}"#),
            format!(r#"{{"event_id":"{long}{long}"}}"#),
        ] {
            let refused = parse_event(&event, &arrival()).expect_err("a rejection");
            assert!(refused.message.len() < 64 + 100, "{refused:?}");
            assert!(refused.event_id.is_none_or(|id| id.len() <= 64), "{event}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(body in prop::collection::vec(any::<u8>(), 0..200)) {
            for event in split(&body, 10).unwrap_or_default() {
                let _ = parse_event(event, &arrival());
            }
            let _ = parse_line(&body, &arrival());
        }
    }
}
