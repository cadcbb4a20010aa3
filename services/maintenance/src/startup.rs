//! Starts the service.

use std::net::SocketAddr;

use rollcall_platform::{clock::Clock, server, settings::Settings};
use rollcall_store::{Pool, heartbeats};
use tokio::task::JoinSet;

use crate::jobs::{
    partitions::Partitions, repeat, retention::Retention, source_statistics::SourceStatistics,
};

/// The running service. Its jobs stop when this value is dropped.
pub struct Maintenance {
    /// Address of health and metrics.
    pub internal_address: SocketAddr,
    jobs: JoinSet<()>,
}

/// Binds health and metrics, and starts the jobs. Port 0 chooses a free port.
///
/// # Errors
/// The address cannot be bound, or the password file cannot be read.
pub fn build(
    settings: &Settings,
    clock: &Clock,
) -> Result<Maintenance, Box<dyn std::error::Error>> {
    let pool = Pool::new(&settings.database)?;
    let (internal, internal_address) = server::internal(&settings.server, vec![pool.health()])?;
    tokio::spawn(internal);
    let mut jobs = JoinSet::new();
    jobs.spawn(repeat(Partitions, pool.clone(), clock.clone()));
    jobs.spawn(repeat(Retention, pool.clone(), clock.clone()));
    let statistics = SourceStatistics::new(settings.ingestion.gap_seconds);
    jobs.spawn(repeat(statistics, pool, clock.clone()));
    Ok(Maintenance {
        internal_address,
        jobs,
    })
}

/// Runs the jobs until SIGTERM or SIGINT. A step that is interrupted is rolled back.
///
/// # Errors
/// See [`build`]. A job panicked.
pub async fn serve(settings: Settings) -> Result<(), Box<dyn std::error::Error>> {
    let mut maintenance = build(&settings, &Clock::System)?;
    let check = Pool::new(&settings.database)?.health();
    heartbeats::start(&settings.database, vec![check], Clock::System.now())?;
    tracing::info!(internal_address = %maintenance.internal_address, "Running maintenance jobs");
    tokio::select! {
        () = server::stop_signal() => Ok(()),
        _ = maintenance.jobs.join_next() => Err("a maintenance job panicked".into()),
    }
}
