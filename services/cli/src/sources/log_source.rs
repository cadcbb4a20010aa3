//! Settings of a source that say how to read its logs.

use jiff::tz::TimeZone;
use rollcall_attendance::name_rules::NameRules;
use rollcall_store::{Pool, sources};

use super::unknown;
use crate::failure::CommandError;

/// Settings with which the logs of a source are read.
pub struct LogSource {
    /// Time zone of times without an offset.
    pub zone: TimeZone,
    /// Rules for the names.
    pub name_rules: NameRules,
}

/// Parses the time zone of an option.
pub fn time_zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text).map_err(|_| "must be an IANA time zone, such as Asia/Kolkata".into())
}

/// Returns the settings with which the logs of a source are read.
pub async fn log_source(
    pool: &Pool,
    name: &str,
    reporting: &TimeZone,
) -> Result<LogSource, CommandError> {
    let found = pool.ask(async |connection| sources::log_of(connection, name).await);
    let found = found.await?.ok_or_else(|| unknown(name))?;
    let zone = found.time_zone.and_then(|zone| TimeZone::get(&zone).ok());
    Ok(LogSource {
        zone: zone.unwrap_or_else(|| reporting.clone()),
        name_rules: found.name_rules,
    })
}
