//! Records of logs.

use jiff::Timestamp;

use crate::{digest, made_event_id};

/// A record of a log, to which the rules are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Time in the header of the record, if it has one.
    pub at: Option<Timestamp>,
    /// Name of the host, or `-`.
    pub host: &'a str,
    /// Name of the program, or `-`.
    pub app: &'a str,
    /// Process ID, or `-`.
    pub process: &'a str,
    /// Text after the header.
    pub text: &'a str,
}

impl<'a> Record<'a> {
    /// Creates a record that has only a text.
    #[must_use]
    pub fn of_text(text: &'a str) -> Self {
        Self {
            at: None,
            host: "-",
            app: "-",
            process: "-",
            text,
        }
    }

    /// Returns the event ID of an event that occurred at `at` and is reported by this record.
    /// `part` distinguishes several events of one record.
    pub(crate) fn event_id(&self, at: Timestamp, part: &str) -> String {
        let header = self.at.map(|at| at.to_string()).unwrap_or_default();
        let second = self.at.unwrap_or(at).as_second();
        let parts = [&header, self.host, self.app, self.process, self.text, part];
        made_event_id("log", Some(second), &parts)
    }

    /// Returns the SHA-256 of the record without its time.
    pub(crate) fn digest(&self) -> [u8; 32] {
        digest(&[self.host, self.app, self.process, self.text])
    }
}
