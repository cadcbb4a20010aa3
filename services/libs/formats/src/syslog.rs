//! Parses syslog messages (RFC 5424) and lines of log files. An event is either structured data or
//! free text that a rule matches.

mod frame;
mod rules;

use jiff::Timestamp;
use rollcall_attendance::event::{FieldError, RawEvent};
use syslog_loose::{Message, ProcId, Protocol, Variant};

pub use frame::{Frames, LONGEST};
pub use rules::{BadRules, Rules};

use crate::{digest, made_event_id};

/// Content of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// An event in structured data.
    Structured(RawEvent),
    /// An event in free text, which names its session by a correlation key.
    Matched(Matched),
    /// The message contains no event.
    Nothing,
}

/// An event in free text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// Name of the rule.
    pub rule: String,
    /// The event.
    pub raw: RawEvent,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// Time, RFC 3339.
    pub at: String,
    /// Time in seconds since 1970.
    pub second: i64,
    /// Name of the host, or `-`.
    pub host: &'a str,
    /// Name of the program, or `-`.
    pub app: &'a str,
    /// Process ID, or `-`.
    pub process: String,
    /// Free text.
    pub text: &'a str,
}

impl Line<'_> {
    /// Returns what distinguishes this line from others.
    fn parts(&self) -> [&str; 5] {
        [&self.at, self.host, self.app, &self.process, self.text]
    }

    /// Returns the SHA-256 of the line.
    fn digest(&self) -> [u8; 32] {
        digest(&self.parts())
    }
}

/// Parses a message. Structured data with the SD-ID `data_id` is an event. Its parameters have the
/// names of the fields in JSON.
///
/// # Errors
/// The message does not follow RFC 5424, or has no time.
pub fn parse(message: &str, data_id: &str, rules: &Rules) -> Result<Found, FieldError> {
    let parsed = syslog_loose::parse_message(message, Variant::RFC5424);
    let line = line(&parsed)?;
    let Some(element) = parsed
        .structured_data
        .iter()
        .find(|element| element.id == data_id)
    else {
        return Ok(rules.apply(&line).map_or(Found::Nothing, Found::Matched));
    };
    let fields: Vec<(&&str, String)> = element.params().collect();
    let fields = fields.iter().map(|(name, value)| (**name, value.as_str()));
    let mut raw = RawEvent::from_texts(fields)?;
    raw.event_id = raw
        .event_id
        .or_else(|| Some(made_event_id("syslog", Some(line.second), &[message])));
    raw.occurred_at = raw.occurred_at.or(Some(line.at));
    Ok(Found::Structured(raw))
}

/// Parses a line of a log file: an RFC 5424 message, or `TIME HOST PROGRAM[PROCESS]: TEXT` with an
/// RFC 3339 time.
///
/// # Errors
/// The line has neither form.
pub fn parse_line(line: &str, data_id: &str, rules: &Rules) -> Result<Found, FieldError> {
    if line.starts_with('<') {
        return parse(line, data_id, rules);
    }
    let unreadable = || {
        FieldError::new(
            "line",
            "must be RFC 5424, or TIME HOST PROGRAM[PROCESS]: TEXT with an RFC 3339 time",
        )
    };
    let mut parts = line.splitn(4, ' ');
    let (Some(at), Some(host), Some(tag), Some(text)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(unreadable());
    };
    let second = at
        .parse::<Timestamp>()
        .map_err(|_| unreadable())?
        .as_second();
    let tag = tag.strip_suffix(':').ok_or_else(unreadable)?;
    let (app, process) = tag
        .strip_suffix(']')
        .and_then(|tag| tag.split_once('['))
        .unwrap_or((tag, "-"));
    let line = Line {
        at: at.to_owned(),
        second,
        host,
        app,
        process: process.to_owned(),
        text,
    };
    Ok(rules.apply(&line).map_or(Found::Nothing, Found::Matched))
}

fn line<'a>(message: &Message<&'a str>) -> Result<Line<'a>, FieldError> {
    if message.protocol != Protocol::RFC5424(1) {
        return Err(FieldError::new(
            "message",
            "must be RFC 5424 of version 1, such as <86>1 2025-01-01T10:00:00Z host program 123 \
             - - text",
        ));
    }
    let at = message
        .timestamp
        .ok_or_else(|| FieldError::new("timestamp", "must be present and valid in RFC 5424"))?;
    let process = match &message.procid {
        Some(ProcId::PID(process)) => process.to_string(),
        Some(ProcId::Name(name)) => (*name).to_owned(),
        None => "-".to_owned(),
    };
    Ok(Line {
        at: at.to_rfc3339(),
        second: at.timestamp(),
        host: message.hostname.unwrap_or("-"),
        app: message.appname.unwrap_or("-"),
        process,
        // A text in UTF-8 begins with a byte order mark (RFC 5424, section 6.4).
        text: message.msg.trim_start_matches('\u{feff}').trim_end(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "rollcall@32473";

    fn found(message: &str) -> Result<Found, FieldError> {
        parse(message, ID, &Rules::shipped())
    }

    #[test]
    fn structured_data_is_an_event_and_a_repeated_message_the_same_one() {
        let message = r#"<134>1 2025-01-01T15:30:00.25+05:30 gw app - - [rollcall@32473 type="login" session_id="s\"1\"" user="user_4" active_seconds="5"] in"#;
        let Ok(Found::Structured(raw)) = found(message) else {
            panic!("an event: {:?}", found(message))
        };
        assert_eq!(
            (raw.kind.as_deref(), raw.session_id.as_deref()),
            (Some("login"), Some("s\"1\""))
        );
        assert_eq!(
            (raw.occurred_at.as_deref(), raw.active_seconds),
            (Some("2025-01-01T15:30:00.250+05:30"), Some(5))
        );
        assert_eq!(found(message), Ok(Found::Structured(raw)));
    }

    #[test]
    fn what_is_no_message_is_refused_and_what_is_no_event_is_nothing() {
        assert_eq!(
            found("<134>1 2025-01-01T10:00:00Z gw cron 7 - - a job"),
            Ok(Found::Nothing)
        );
        assert_eq!(found("hello").expect_err("a field error").field, "message");
        assert_eq!(
            found("<134>Jan  1 10:00:00 gw sshd[7]: hello")
                .expect_err("a field error")
                .field,
            "message"
        );
        assert_eq!(
            found("<134>1 - gw sshd 7 - - hello")
                .expect_err("a field error")
                .field,
            "timestamp"
        );
        let bad = r#"<134>1 2025-01-01T10:00:00Z gw a - - [rollcall@32473 active_seconds="x"]"#;
        assert_eq!(
            found(bad).expect_err("a field error").field,
            "active_seconds"
        );
    }

    #[test]
    fn a_log_files_line_is_read_as_the_message_it_was() {
        let rules = Rules::shipped();
        let text = "Accepted publickey for asha from 203.0.113.5 port 51234 ssh2";
        let message = format!("<86>1 2025-01-01T10:00:00+00:00 gw sshd 7 - - {text}");
        let line = format!("2025-01-01T10:00:00+00:00 gw sshd[7]: {text}");
        assert_eq!(
            parse_line(&line, ID, &rules),
            parse_line(&message, ID, &rules)
        );
        assert_eq!(
            parse_line("Jan 1 10:00:00 gw sshd: x", ID, &rules)
                .expect_err("a field error")
                .field,
            "line"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in ".{0,200}", structured in any::<bool>()) {
            let message = if structured { format!("<134>1 2025-01-01T10:00:00Z gw a - - [rollcall@32473 {text}") } else { text };
            let _ = found(&message);
            let _ = parse_line(&message, ID, &Rules::shipped());
        }
    }
}
