//! Settings of a source that say how to read its logs.

use jiff::tz::TimeZone;
use rollcall_attendance::name_rules::NameRules;
use rollcall_store::{Pool, sources};

use super::unknown;
use crate::failure::CommandError;

/// How to read the logs of a source.
pub struct LogSource {
    /// Time zone of times without an offset.
    pub zone: TimeZone,
    /// Rules for the names.
    pub name_rules: NameRules,
}

/// Returns how to read the logs of a source.
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
