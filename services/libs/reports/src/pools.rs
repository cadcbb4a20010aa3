//! The connections that reports use.

use std::time::Duration;

use rollcall_platform::settings::Settings;
use rollcall_store::Pool;

/// The connections that reports use.
pub struct Pools {
    /// For audit entries, health checks and small reports.
    pub short: Pool,
    /// For large reports, so that slow readers use no connection of `short`.
    pub streams: Pool,
}

impl Pools {
    /// Creates the pools of the service's role.
    ///
    /// # Errors
    /// The password file cannot be read.
    pub fn new(settings: &Settings) -> Result<Self, Box<dyn std::error::Error>> {
        let streams = settings.reporting.streams.get() as usize;
        let limit = Duration::from_secs(settings.reporting.stream_seconds.into());
        Ok(Self {
            short: Pool::new(&settings.database)?,
            streams: Pool::for_streams(&settings.database, streams, limit)?,
        })
    }
}
