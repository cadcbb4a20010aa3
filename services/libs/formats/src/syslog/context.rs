//! Circumstances of a message, which a parser needs beside its text.

use jiff::{Timestamp, tz::TimeZone};

use crate::rules::Rules;

/// Circumstances of a message.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// SD-ID of the structured data that contains an event.
    pub data_id: &'a str,
    /// Rules for messages in free text.
    pub rules: &'a Rules,
    /// Time zone of the source, for times without an offset.
    pub zone: TimeZone,
    /// Time of arrival, which gives the year to times without a year.
    pub received_at: Timestamp,
}
