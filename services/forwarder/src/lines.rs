//! Lines of the input as events.

use rollcall_attendance::event::FieldError;
use rollcall_formats::{
    json,
    syslog::{Found, Matched, Rules, parse_line},
};
use serde_json::{Map, Value};

use crate::{
    config::Format,
    spool::{Failure, Reading, Spool},
};

/// Maximum size of a line in bytes.
pub const MAX_LINE_BYTES: usize = 65_536;
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
            Ok(Found::Stated(raw)) => Ok(Some(json::write(raw))),
            Ok(Found::Matched(matched)) => Ok(Some(self.named(matched, reading)?)),
            Ok(Found::Nothing) => Ok(None),
            Err(refusal) => Err(refusal),
        })
    }

    /// Lines come in order here: the latest login of a name is the one that was read last.
    fn named(&self, matched: Matched, reading: &mut Reading) -> Result<String, Failure> {
        if matched.begins() {
            let login = matched.raw.occurred_at.clone().unwrap_or_default();
            reading.logins.push((matched.key.clone(), login));
        }
        let here = reading
            .logins
            .iter()
            .rev()
            .find(|(name, _)| *name == matched.key)
            .map(|(_, login)| login.clone());
        let login = match here {
            Some(login) => Some(login),
            None => self.spool.login(&matched.key)?,
        };
        Ok(json::write(matched.session(login.as_deref())))
    }
}

/// Ingestion says what is wrong with an event, but must be able to tell one from the next.
fn an_object(line: &str) -> Result<String, FieldError> {
    if line.len() > MAX_LINE_BYTES {
        return Err(FieldError::new(
            "line",
            format!("has {} bytes, takes at most {MAX_LINE_BYTES}", line.len()),
        ));
    }
    let object: Map<String, Value> = serde_json::from_str(line)
        .map_err(|error| FieldError::new("line", format!("is no JSON object: {error}")))?;
    Ok(Value::Object(object).to_string())
}
