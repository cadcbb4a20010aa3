//! JSON: one event, an array of them, or NDJSON.

mod elements;

use rollcall_attendance::event::{Arrival, Event, FieldError};
use rollcall_wire::{Rejection, json, quote::cut};
use serde::{Deserialize, de::DeserializeSeed};
use serde_json::value::RawValue;

/// The events of one JSON object, or the reason why it is rejected. A derived login precedes the
/// event from which it was derived.
pub type Item = Result<Vec<Event>, Rejection>;

/// Reason why no event of a body can be recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The body contains no event.
    #[error(
        "{0}. Send one event, an array of events, or one event per line with Content-Type: \
         application/x-ndjson. Nothing was stored."
    )]
    NoEvents(String),
    /// The body contains more than the given number of events.
    #[error("The body has more than {0} events. Nothing was stored. Send the events in parts.")]
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
            "The body is JSON, but neither an object nor an array".into(),
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
/// The line is not a JSON object, or not a valid event.
pub fn parse_line(line: &[u8], arrival: &Arrival) -> Item {
    let text = std::str::from_utf8(line).map_err(|error| {
        let message = format!("must be UTF-8: {error}");
        rejection(None, &FieldError::new("", message))
    })?;
    parse_event(text, arrival)
}

/// Parses the text of a JSON object.
///
/// # Errors
/// The text is not a JSON object, or not a valid event.
pub fn parse_event(text: &str, arrival: &Arrival) -> Item {
    json::parse(text)
        .and_then(|raw| Event::parse_all(raw, arrival))
        .map_err(|error| rejection(event_id(text), &error))
}

/// Returns the event ID of an invalid event, if the event ID itself is valid.
fn event_id(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct EventId {
        event_id: Option<String>,
    }
    json::parse::<EventId>(text).ok()?.event_id
}

fn rejection(event_id: Option<String>, error: &FieldError) -> Rejection {
    Rejection {
        event_id: event_id.map(|event_id| cut(&event_id).to_owned()),
        field: (!error.field.is_empty()).then(|| error.field.to_string()),
        message: error.sentence("The event"),
        ..Rejection::default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rollcall_wire::RawEvent;

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

    fn outcomes(body: &str) -> Vec<Option<Rejection>> {
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
                refused.field.as_deref(),
                refused.message.as_str()
            ),
            (Some("e2"), Some("type"), "type must be a string (got 7)")
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
    fn event_with_a_repeated_field_is_rejected_by_the_name_of_the_field() {
        let event = GOOD.replace(r#""extra":1"#, r#""user":"other","extra":1,"extra":2"#);
        let error = parse_event(&event, &arrival()).expect_err("a rejection");
        assert_eq!(error.field.as_deref(), Some("user"));
        assert_eq!(error.message, "user must occur only once");
        assert_eq!(error.event_id.as_deref(), Some("e1"));
    }

    #[test]
    fn a_lone_surrogate_in_any_text_field_is_refused_by_the_name_of_the_field() {
        let fields = serde_json::to_value(RawEvent::default()).expect("JSON");
        for name in fields.as_object().expect("an object").keys() {
            let event = format!(r#"{{"event_id":"e","{name}":"\ud800"}}"#);
            let event = event.replace(r#""event_id":"e","event_id""#, r#""event_id""#);
            let refused = parse_event(&event, &arrival()).expect_err("a rejection");
            assert_eq!(refused.field.as_deref(), Some(name.as_str()));
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
