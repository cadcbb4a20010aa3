//! Records of logs.

use jiff::Timestamp;

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
}
