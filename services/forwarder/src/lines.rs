//! Lines of the input as events.

use jiff::{Timestamp, tz::TimeZone};
use rollcall_formats::{
    rules::Rules,
    syslog::{Context, Found, parse},
};
use rollcall_wire::{FieldError, RawEvent, json};

use crate::{
    config::Format,
    spool::{Failure, Reading, Spool},
};

/// Maximum size of a line in bytes.
pub const MAX_LINE_BYTES: usize = 65_536;
/// Default of the setting `ingestion.syslog_data_id`.
const DATA_ID: &str = "rollcall@32473";

/// Converts lines to events.
pub struct Lines<'a> {
    pub spool: &'a Spool,
    pub format: Format,
    pub rules: Rules,
    pub zone: TimeZone,
}

impl Lines<'_> {
    /// Adds the event of a line to a reading. An invalid line is kept with the rejected events.
    ///
    /// # Errors
    /// The disk fails.
    pub fn read(&self, line: &[u8], reading: &mut Reading) -> Result<(), Failure> {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        if line.is_empty() {
            return Ok(());
        }
        let events = match self.format {
            Format::Ndjson => object(line).map(|event| vec![event]),
            Format::Log => self.found(line),
        };
        match events {
            Ok(events) => reading.events.extend(events),
            Err(error) => self.spool.reject(line, &error.sentence("The line"))?,
        }
        Ok(())
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "a line without a year has that of its arrival"
    )]
    fn found(&self, line: &str) -> Result<Vec<String>, FieldError> {
        let context = Context {
            data_id: DATA_ID,
            rules: &self.rules,
            zone: self.zone.clone(),
            received_at: Timestamp::now(),
        };
        Ok(match parse(line, &context)? {
            Found::Events(events) => events.iter().map(|event| event.raw.to_json()).collect(),
            Found::Ignored(_) | Found::Unmatched => Vec::new(),
        })
    }
}

/// Returns a line that is a JSON object whose fields have the types of an event. Ingestion
/// validates the values. The line is not changed, because a newer version of ingestion may know
/// more fields.
fn object(line: &str) -> Result<String, FieldError> {
    if line.len() > MAX_LINE_BYTES {
        let message = format!(
            "must be at most {MAX_LINE_BYTES} bytes (got {})",
            line.len()
        );
        return Err(FieldError::new("", message));
    }
    json::parse::<RawEvent>(line)?;
    Ok(line.to_owned())
}
