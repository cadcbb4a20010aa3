//! Headers of syslog messages and of lines of log files.

mod rfc3164;
mod rfc5424;
pub(crate) mod stamp;

use super::{Context, StructuredData};
use crate::record::Record;

/// A message, divided into its parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header<'a> {
    pub(super) record: Record<'a>,
    pub(super) elements: Vec<StructuredData<'a>>,
    /// False if the message has neither a priority nor a time nor fields, so that it may be
    /// anything.
    pub(super) is_recognized: bool,
}

impl<'a> Header<'a> {
    /// Reads the header of any form that gateways write.
    pub(super) fn read(message: &'a str, context: &Context) -> Self {
        let message = message
            .trim_start_matches('\u{feff}')
            .trim_end_matches(|char: char| char.is_whitespace() || char == '\0');
        match without_priority(message) {
            Some(rest) => {
                rfc5424::read(rest, context).unwrap_or_else(|| rfc3164::read(rest, true, context))
            }
            None => rfc3164::read(message, false, context),
        }
    }
}

/// Removes the priority, such as `<13>`.
fn without_priority(message: &str) -> Option<&str> {
    let (priority, rest) = message.strip_prefix('<')?.split_once('>')?;
    let is_number = priority.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && (1..=3).contains(&priority.len())).then_some(rest)
}

#[cfg(test)]
mod tests;
