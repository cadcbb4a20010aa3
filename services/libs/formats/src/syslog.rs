//! Parses syslog messages and lines of log files. An event is either structured data or a record
//! that a rule takes.

mod context;
mod frame;
mod header;
mod journal;

use std::borrow::Cow;

use jiff::Timestamp;
use rollcall_attendance::event::{FieldError, RawEvent};

pub use context::Context;
pub use frame::{Frames, LONGEST};
pub(crate) use header::stamp;

use self::header::Header;
use crate::{made_event_id, record::Record};

/// Content of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The events of structured data, or of a record that a rule takes.
    Events(Vec<Matched>),
    /// A record that reports no event, according to the rule of this name.
    Ignored(String),
    /// A record that no rule takes.
    Unmatched,
}

/// An event of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// Name of the rule.
    pub rule: String,
    /// The event. It has a session ID or a correlation key.
    pub raw: RawEvent,
}

impl Matched {
    /// Creates the event of structured data, which no rule takes.
    fn of_structured(raw: RawEvent) -> Self {
        Self {
            rule: "structured data".to_owned(),
            raw,
        }
    }
}

/// An element of structured data (RFC 5424, section 6.3).
#[derive(Debug, Clone, PartialEq, Eq)]
struct StructuredData<'a> {
    id: &'a str,
    params: Vec<(&'a str, Cow<'a, str>)>,
}

/// Parses a message or a line of a log file, in any of the forms that gateways write. Structured
/// data with the SD-ID [`Context::data_id`] is an event. Its parameters have the names of the
/// fields in JSON. The rules are applied to other messages, and to entries of the systemd journal
/// in JSON.
///
/// # Errors
/// The message is no record of a log, or an event in the message has an invalid field or no time.
pub fn parse(message: &str, context: &Context) -> Result<Found, FieldError> {
    if let Some(entry) = journal::Entry::read(message) {
        return context.rules.apply(&entry.record(&entry.text()), context);
    }
    let header = Header::read(message, context);
    let mut elements = header.elements.iter();
    if let Some(element) = elements.find(|element| element.id == context.data_id) {
        let raw = structured(message, &header.record, element)?;
        return Ok(Found::Events(vec![Matched::of_structured(raw)]));
    }
    match context.rules.apply(&header.record, context)? {
        Found::Unmatched if !header.is_recognized => Err(FieldError::new(
            "",
            "must begin with a syslog priority such as <13>, or with a time, or consist of fields",
        )),
        found => Ok(found),
    }
}

fn structured(
    message: &str,
    record: &Record,
    element: &StructuredData,
) -> Result<RawEvent, FieldError> {
    let params = element.params.iter();
    let mut raw = RawEvent::from_texts(params.map(|(name, value)| (*name, value.as_ref())))?;
    let at = raw
        .occurred_at
        .take()
        .or(record.at.map(|at| at.to_string()));
    let at =
        at.ok_or_else(|| FieldError::new("timestamp", "must be present and valid in RFC 5424"))?;
    let second = record.at.map(Timestamp::as_second);
    raw.event_id = raw
        .event_id
        .or_else(|| Some(made_event_id("syslog", second, &[message])));
    raw.occurred_at = Some(at);
    Ok(raw)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;
    use crate::rules::Rules;

    fn found(message: &str) -> Result<Found, FieldError> {
        let context = Context {
            data_id: "rollcall@32473",
            rules: &Rules::shipped(),
            zone: TimeZone::UTC,
            received_at: "2025-01-01T10:00:05Z".parse().expect("an instant"),
        };
        parse(message, &context)
    }

    #[test]
    fn structured_data_is_an_event_and_a_repeated_message_the_same_one() {
        let message = r#"<134>1 2025-01-01T15:30:00.25+05:30 gw app - - [rollcall@32473 type="login" session_id="s\"1\"" user="user_4" active_seconds="5"] in"#;
        let Ok(Found::Events(events)) = found(message) else {
            panic!("an event: {:?}", found(message))
        };
        let raw = &events[0].raw;
        assert_eq!(
            (raw.kind.as_deref(), raw.session_id.as_deref()),
            (Some("login"), Some("s\"1\""))
        );
        assert_eq!(
            (raw.occurred_at.as_deref(), raw.active_seconds),
            (Some("2025-01-01T10:00:00.25Z"), Some(5))
        );
        assert_eq!(found(message), Ok(Found::Events(events.clone())));
    }

    #[test]
    fn structured_data_with_an_invalid_field_or_without_a_time_is_rejected() {
        for (message, field) in [
            (
                r#"<134>1 2025-01-01T10:00:00Z gw a - - [rollcall@32473 active_seconds="x"]"#,
                "active_seconds",
            ),
            (
                r#"<134>1 - gw a - - [rollcall@32473 type="login"]"#,
                "timestamp",
            ),
        ] {
            assert_eq!(found(message).expect_err("a field error").field, field);
        }
    }

    #[test]
    fn entry_of_the_journal_is_an_event() {
        let entry = r#"{"__REALTIME_TIMESTAMP":"1735725600000000","SYSLOG_IDENTIFIER":"sshd","_PID":"7","MESSAGE":"Accepted publickey for asha from 203.0.113.5 port 51234 ssh2","_HOSTNAME":"gw"}"#;
        let Ok(Found::Events(events)) = found(entry) else {
            panic!("an event: {:?}", found(entry))
        };
        let raw = &events[0].raw;
        assert_eq!(raw.correlation_key.as_deref(), Some("sshd/gw/7"));
        assert_eq!(raw.occurred_at.as_deref(), Some("2025-01-01T10:00:00Z"));
    }

    #[test]
    fn record_without_event_is_nothing_and_other_text_is_rejected() {
        for message in [
            "<134>1 2025-01-01T10:00:00Z gw cron 7 - - a job",
            "<134>Jan  1 10:00:00 gw sshd[7]: hello",
            "<134>1 - gw sshd 7 - - hello",
            "<134>hello",
        ] {
            assert_eq!(found(message), Ok(Found::Unmatched), "{message}");
        }
        assert_eq!(found("hello").expect_err("an error").field, "");
    }

    #[test]
    fn one_record_in_all_forms_is_the_same_event() {
        let text = "Accepted publickey for asha from 203.0.113.5 port 51234 ssh2";
        let first = found(&format!(
            "<86>1 2025-01-01T10:00:00+00:00 gw sshd 7 - - {text}"
        ));
        assert!(matches!(first, Ok(Found::Events(_))), "{first:?}");
        for header in [
            "2025-01-01T10:00:00+00:00 gw sshd[7]:",
            "<86>Jan  1 10:00:00 gw sshd[7]:",
            "Jan  1 10:00:00 gw sshd[7]:",
            "<86>Jan  1 2025 10:00:00 gw sshd[7]:",
        ] {
            assert_eq!(found(&format!("{header} {text}\n\0")), first, "{header}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in ".{0,200}", start in 0..4_usize) {
            let start = [
                "",
                "<134>1 2025-01-01T10:00:00Z gw a - - [rollcall@32473 ",
                "<134>Jan  1 10:00:00 gw openvpn[7]: ",
                "<134>{\"a\":",
            ][start];
            let _ = found(&format!("{start}{text}"));
        }
    }
}
