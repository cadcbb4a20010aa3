//! Entries of the systemd journal in its JSON export (`journalctl --output=json`), one per line.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;

use crate::record::Record;

/// An entry. The names are those of systemd.journal-fields(7) and systemd's Journal Export Formats.
#[derive(Deserialize)]
pub(super) struct Entry<'a> {
    /// Time of arrival at the journal, in microseconds since 1970.
    #[serde(rename = "__REALTIME_TIMESTAMP", borrow)]
    realtime: Cow<'a, str>,
    #[serde(rename = "MESSAGE")]
    message: Message,
    #[serde(rename = "SYSLOG_IDENTIFIER", borrow)]
    identifier: Option<Cow<'a, str>>,
    #[serde(rename = "_COMM", borrow)]
    command: Option<Cow<'a, str>>,
    #[serde(rename = "_PID", borrow)]
    process: Option<Cow<'a, str>>,
    #[serde(rename = "_HOSTNAME", borrow)]
    host: Option<Cow<'a, str>>,
}

/// Text of an entry. The journal writes a text that is not UTF-8 as an array of bytes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Message {
    Text(String),
    Bytes(Vec<u8>),
}

impl<'a> Entry<'a> {
    /// Parses a line, or returns `None` if the line is no entry.
    pub(super) fn read(line: &'a str) -> Option<Self> {
        // Other JSON is not parsed twice.
        let is_entry = line.starts_with('{') && line.contains("\"__REALTIME_TIMESTAMP\"");
        is_entry.then(|| serde_json::from_str(line).ok())?
    }

    /// Returns the text of the entry.
    pub(super) fn text(&self) -> Cow<'_, str> {
        match &self.message {
            Message::Text(text) => text.into(),
            Message::Bytes(bytes) => String::from_utf8_lossy(bytes),
        }
    }

    /// Returns the record with this text.
    pub(super) fn record<'b>(&'b self, text: &'b str) -> Record<'b> {
        let microseconds = self.realtime.parse().ok();
        let app = self.identifier.as_ref().or(self.command.as_ref());
        Record {
            at: microseconds.and_then(|time| Timestamp::from_microsecond(time).ok()),
            host: self.host.as_deref().unwrap_or("-"),
            app: app.map_or("-", |app| app),
            process: self.process.as_deref().unwrap_or("-"),
            text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_is_a_record_of_its_program() {
        let line = r#"{"__REALTIME_TIMESTAMP":"1735725600000000","MESSAGE":"a \"b\"","_PID":"7","SYSLOG_IDENTIFIER":"sshd","_HOSTNAME":"gw","PRIORITY":"6"}"#;
        let entry = Entry::read(line).expect("an entry");
        let text = entry.text();
        let record = entry.record(&text);
        assert_eq!(
            record,
            Record {
                at: Some(Timestamp::from_second(1_735_725_600).expect("an instant")),
                host: "gw",
                app: "sshd",
                process: "7",
                text: "a \"b\"",
            }
        );
    }

    #[test]
    fn bytes_of_a_message_are_read_as_text() {
        let line = r#"{"__REALTIME_TIMESTAMP":"0","MESSAGE":[104,105,255]}"#;
        assert_eq!(Entry::read(line).expect("an entry").text(), "hi\u{fffd}");
    }

    #[test]
    fn other_json_is_no_entry() {
        for line in [r#"{"MESSAGE":"x"}"#, "{\"__REALTIME_TIMESTAMP\"", "text"] {
            assert!(Entry::read(line).is_none(), "{line}");
        }
    }
}
