//! Heartbeats: the replicas of the services, with their health.

use std::time::Duration;

use diesel::{
    QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{BigInt, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures::future::join_all;
use jiff::Timestamp;
use jiff_diesel::ToDiesel;
use rollcall_settings as settings;

use crate::{Pool, pool::HealthCheck};

/// Time between two heartbeats of a replica.
pub const INTERVAL: Duration = Duration::from_secs(10);

/// Maximum length of the result of the health checks, in bytes.
const MAX_MISSING_BYTES: usize = 4096;

/// The latest heartbeat of a replica.
#[derive(Debug, Clone, QueryableByName)]
pub struct Heartbeat {
    /// Name of the service: its database role, or `receiver`.
    #[diesel(sql_type = Text)]
    pub service: String,
    /// Host name of the container.
    #[diesel(sql_type = Text)]
    pub replica: String,
    /// Version of the service.
    #[diesel(sql_type = Text)]
    pub version: String,
    /// Time at which the service started.
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    pub started_at: Timestamp,
    /// Time since the heartbeat, by the clock of the database, in seconds.
    #[diesel(sql_type = BigInt)]
    pub age_seconds: i64,
    /// Message of the health check of the service. Empty if the service is healthy.
    #[diesel(sql_type = Text)]
    pub missing: String,
}

/// A replica of the service whose role the connection has, or of the receiver.
#[derive(Debug, Clone)]
pub struct Replica<'a> {
    /// Host name of the container.
    pub name: String,
    /// Version of the service.
    pub version: &'a str,
    /// Time at which the service started.
    pub started_at: Timestamp,
}

/// Writes the heartbeat of a replica.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.heartbeats.write", skip_all)]
pub async fn write(
    connection: &mut AsyncPgConnection,
    replica: &Replica<'_>,
    missing: &str,
) -> QueryResult<()> {
    execute(
        connection,
        "SELECT write_heartbeat($1, $2, $3, $4)",
        replica,
        missing,
    )
    .await
}

/// Writes the heartbeat of a datagram receiver, which has no database role. Only the role
/// `ingestion` may do this.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.heartbeats.write_for_receiver", skip_all)]
pub async fn write_for_receiver(
    connection: &mut AsyncPgConnection,
    replica: &Replica<'_>,
    missing: &str,
) -> QueryResult<()> {
    let statement = "SELECT write_receiver_heartbeat($1, $2, $3, $4)";
    execute(connection, statement, replica, missing).await
}

async fn execute(
    connection: &mut AsyncPgConnection,
    statement: &str,
    replica: &Replica<'_>,
    missing: &str,
) -> QueryResult<()> {
    let missing = &missing[..missing.floor_char_boundary(MAX_MISSING_BYTES)];
    sql_query(statement)
        .bind::<Text, _>(&replica.name)
        .bind::<Text, _>(replica.version)
        .bind::<Timestamptz, _>(replica.started_at.to_diesel())
        .bind::<Text, _>(missing)
        .execute(connection)
        .await
        .map(drop)
}

/// Returns the heartbeats of all replicas that have been heard within the last hour, by service.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.heartbeats.list", skip_all)]
pub async fn list(connection: &mut AsyncPgConnection) -> QueryResult<Vec<Heartbeat>> {
    sql_query(
        "SELECT service, replica, version, started_at, missing,
             extract(epoch FROM now() - at)::bigint AS age_seconds
         FROM heartbeats WHERE at > now() - interval '1 hour' ORDER BY service, replica",
    )
    .load(connection)
    .await
}

/// Starts a task that writes the heartbeat of this process, with the result of its health checks.
/// It has its own connection, so that a pool without a free connection does not look like a replica
/// that has stopped.
///
/// # Errors
/// The password file cannot be read.
pub fn start(
    settings: &settings::Database,
    checks: Vec<HealthCheck>,
    started_at: Timestamp,
) -> Result<(), Box<dyn std::error::Error>> {
    let settings = settings::Database {
        connections: 1,
        ..settings.clone()
    };
    // Linux always has this file.
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let replica = Replica {
        name: name.trim().to_owned(),
        version: env!("CARGO_PKG_VERSION"),
        started_at,
    };
    tokio::spawn(keep_writing(Pool::new(&settings)?, replica, checks));
    Ok(())
}

async fn keep_writing(pool: Pool, replica: Replica<'static>, checks: Vec<HealthCheck>) {
    let mut failed = false;
    loop {
        let results = join_all(checks.iter().map(|check| check())).await;
        let missing: Vec<String> = results.into_iter().filter_map(Result::err).collect();
        let missing = missing.join("; ");
        let written = pool.ask(async |connection| write(connection, &replica, &missing).await);
        match written.await {
            Ok(()) => failed = false,
            // Log a line for each outage, not for each interval.
            Err(error) if !failed => {
                failed = true;
                tracing::warn!(%error, "Failed to write the heartbeat, retrying");
            }
            Err(_) => (),
        }
        tokio::time::sleep(INTERVAL).await;
    }
}
