//! JSON: one event, an array of them, or NDJSON.

use rollcall_attendance::event::{Arrival, Draft, Event, Refusal};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

/// An event of the body, or why it is none.
pub type Item = Result<Event, Rejected>;

/// An event that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Its id, if it could be read.
    pub event_id: Option<String>,
    /// The field at fault, if it is one.
    pub field: Option<&'static str>,
    /// What is wrong, and what the field takes.
    pub message: String,
}

/// How the events are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `application/json`
    Json,
    /// `application/x-ndjson`
    Ndjson,
}

/// A body that holds no events at all; the text says why, and what it takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoEvents(String);

/// The events of a body, in order. A bad event rejects itself, not its neighbours.
///
/// # Errors
/// The body is not JSON at all.
pub fn parse(body: &[u8], format: Format, arrival: &Arrival) -> Result<Vec<Item>, NoEvents> {
    match format {
        Format::Json => parse_json(body, arrival),
        Format::Ndjson => parse_lines(body, arrival),
    }
}

const TAKES: &str = "takes one event, an array of events, or one event a line with Content-Type: application/x-ndjson";

fn parse_json(body: &[u8], arrival: &Arrival) -> Result<Vec<Item>, NoEvents> {
    let not_json = |error| {
        NoEvents(format!(
            "The body is not JSON: {error}; {TAKES}. Nothing was stored."
        ))
    };
    let whole: &RawValue = serde_json::from_slice(body).map_err(not_json)?;
    match whole.get().as_bytes().first() {
        Some(b'{') => Ok(vec![parse_event(whole.get(), arrival)]),
        Some(b'[') => {
            let events: Vec<&RawValue> = serde_json::from_str(whole.get()).map_err(not_json)?;
            Ok(events
                .into_iter()
                .map(|event| parse_event(event.get(), arrival))
                .collect())
        }
        _ => Err(NoEvents(format!(
            "The body is JSON, but no event; {TAKES}. Nothing was stored."
        ))),
    }
}

fn parse_lines(body: &[u8], arrival: &Arrival) -> Result<Vec<Item>, NoEvents> {
    let lines: Vec<&[u8]> = body
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
        .collect();
    let is_json = |line: &&[u8]| serde_json::from_slice::<&RawValue>(line).is_ok();
    if !lines.iter().any(is_json) {
        return Err(NoEvents(format!(
            "No line of the body is JSON; {TAKES}. Nothing was stored."
        )));
    }
    Ok(lines
        .into_iter()
        .map(|line| {
            std::str::from_utf8(line).map_or_else(
                |error| Err(nameless(&error)),
                |line| parse_event(line, arrival),
            )
        })
        .collect())
}

fn nameless(error: &dyn std::fmt::Display) -> Rejected {
    Rejected {
        event_id: None,
        field: None,
        message: format!("is no JSON object: {error}"),
    }
}

/// The fields of an event, not yet looked at: one that is bad is refused by its name. Unknown ones are left out, as version 1
/// does everywhere.
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
    // serde would take an array of the fields' values as well.
    if text.trim_start().starts_with('[') {
        return Err(nameless(&"it is an array within an array"));
    }
    let fields: Fields = serde_json::from_str(text).map_err(|error| nameless(&error))?;
    let event_id = fields
        .event_id
        .and_then(|value| serde_json::from_str(value.get()).ok());
    draft(&fields)
        .and_then(|draft| Event::parse(draft, arrival))
        .map_err(|Refusal { field, message }| Rejected {
            event_id,
            field: Some(field),
            message,
        })
}

/// A draft as an event of JSON.
#[must_use]
pub fn write(mut draft: Draft) -> String {
    let seconds = draft
        .active_seconds
        .map(|seconds| ("active_seconds".to_owned(), Value::from(seconds)));
    let texts = draft
        .texts()
        .into_iter()
        .filter_map(|(name, text)| Some((name.to_owned(), Value::from(text.take()?))));
    Value::Object(texts.chain(seconds).collect()).to_string()
}

fn draft(fields: &Fields) -> Result<Draft, Refusal> {
    Ok(Draft {
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
        ..Draft::default()
    })
}

fn text(field: &'static str, raw: Option<&RawValue>) -> Result<Option<String>, Refusal> {
    value(field, raw, "text")
}

/// `null` is absent.
fn value<'a, T: Deserialize<'a>>(
    field: &'static str,
    raw: Option<&'a RawValue>,
    takes: &str,
) -> Result<Option<T>, Refusal> {
    let Some(raw) = raw else { return Ok(None) };
    serde_json::from_str(raw.get())
        .map_err(|_| Refusal::new(field, format!("got {}, takes {takes}", raw.get())))
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
            ahead: forever,
            skew: forever,
        }
    }

    fn outcomes(body: &str, format: Format) -> Vec<Option<Rejected>> {
        parse(body.as_bytes(), format, &arrival())
            .expect("items")
            .into_iter()
            .map(Result::err)
            .collect()
    }

    #[test]
    fn a_bad_event_rejects_itself_alone() {
        let lone_surrogate = r#"{"event_id":"\ud800"}"#;
        let items = outcomes(
            &format!(
                "[{GOOD},5,{{\"event_id\":\"e2\",\"type\":7}},{lone_surrogate},[\"e3\",\"login\",\"s\",\"u\"],{GOOD}]"
            ),
            Format::Json,
        );
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
    fn a_line_that_is_not_json_rejects_itself_and_blank_lines_do_not_count() {
        let items = outcomes(
            &format!("{GOOD}\r\n\n{{\"event_id\":\n{GOOD}\n"),
            Format::Ndjson,
        );
        assert_eq!(
            items.iter().map(Option::is_none).collect::<Vec<_>>(),
            [true, false, true]
        );
    }

    #[test]
    fn a_body_that_is_not_json_is_refused_whole() {
        for (body, format) in [
            ("", Format::Json),
            ("5", Format::Json),
            ("{", Format::Json),
            ("[{},", Format::Json),
            ("", Format::Ndjson),
            ("hello\nthere", Format::Ndjson),
        ] {
            assert!(
                parse(body.as_bytes(), format, &arrival()).is_err(),
                "{body:?}"
            );
        }
        assert_eq!(
            parse(b"[]", Format::Json, &arrival())
                .expect("no events")
                .len(),
            0
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&body, Format::Json, &arrival());
            let _ = parse(&body, Format::Ndjson, &arrival());
        }
    }
}
