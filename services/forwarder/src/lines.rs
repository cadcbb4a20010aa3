//! Lines of the input as events.

use rollcall_attendance::event::FieldError;
use rollcall_formats::syslog::{Found, Matched, Rules, parse_line};
use serde_json::{Map, Value};

use crate::{
    config::Format,
    spool::{Failure, Reading, Spool},
};

/// The longest line, in bytes.
pub const LONGEST: usize = 65_536;
/// What `ingestion.syslog_data_id` is unless it is set.
const DATA_ID: &str = "rollcall@32473";

/// Makes events of lines.
pub struct Lines<'a> {
    pub spool: &'a Spool,
    pub format: Format,
    pub rules: Rules,
}

impl Lines<'_> {
    /// Adds what a line says to a reading. A line that is no event is kept with the rejected ones.
    ///
    /// # Errors
    /// The disk fails.
    pub fn read(&self, line: &[u8], reading: &mut Reading) -> Result<(), Failure> {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        if line.is_empty() {
            return Ok(());
        }
        let event = match self.format {
            Format::Ndjson => an_object(line).map(Some),
            Format::Log => self.found(line, reading)?,
        };
        match event {
            Ok(event) => reading.events.extend(event),
            Err(refusal) => self.spool.reject(line, &refusal.to_string())?,
        }
        Ok(())
    }

    fn found(
        &self,
        line: &str,
        reading: &mut Reading,
    ) -> Result<Result<Option<String>, FieldError>, Failure> {
        Ok(match parse_line(line, DATA_ID, &self.rules) {
            Ok(Found::Stated(raw)) => Ok(Some(raw.to_json())),
            Ok(Found::Matched(matched)) => Ok(Some(self.resolve(matched, reading)?)),
            Ok(Found::Nothing) => Ok(None),
            Err(refusal) => Err(refusal),
        })
    }

    /// Returns the event of a line as JSON. A login that was read earlier is looked up in the spool.
    fn resolve(&self, matched: Matched, reading: &mut Reading) -> Result<String, Failure> {
        let raw = match reading.logins.resolve(matched) {
            Ok(raw) => raw,
            Err(matched) => {
                let login = self.spool.login(&matched.key)?;
                matched.session(login.as_deref())
            }
        };
        Ok(raw.to_json())
    }
}

/// Ingestion says what is wrong with an event, but must be able to tell one from the next.
fn an_object(line: &str) -> Result<String, FieldError> {
    if line.len() > LONGEST {
        return Err(FieldError::new(
            "line",
            format!("must have at most {LONGEST} bytes (got {})", line.len()),
        ));
    }
    let object: Map<String, Value> = serde_json::from_str(line)
        .map_err(|error| FieldError::new("line", format!("is not a JSON object: {error}")))?;
    Ok(Value::Object(object).to_string())
}
