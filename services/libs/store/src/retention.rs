//! Removes data that is past its retention limit, in short steps. Each step is one transaction,
//! which also writes the audit entry. Nothing younger than 31 days is removed: see the view
//! `retention_cutoffs`.

use diesel::{
    QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{BigInt, Integer, Text, Timestamptz},
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use jiff_diesel::ToDiesel;
use rollcall_settings as settings;
use serde_json::json;

use crate::{
    audit_log,
    partitions::{self, Expired, Partitioned},
};

/// Maximum number of rows that one step removes.
const MAX_ROWS: i64 = 5_000;

/// Maximum number of blocks of a partition whose event IDs one step removes.
const MAX_BLOCKS: i64 = 500;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    removed: i64,
}

/// Writes the retention limits of the settings into the database. Only the owner may do this.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.retention.set_limits", skip_all)]
pub async fn set_limits(
    connection: &mut AsyncPgConnection,
    limits: &settings::Retention,
) -> QueryResult<()> {
    for (data, days) in [
        ("events", limits.events_days),
        ("sessions", limits.sessions_days),
        ("audit_log", limits.audit_days),
    ] {
        sql_query(include_str!("retention/set_limit.sql"))
            .bind::<Text, _>(data)
            .bind::<Integer, _>(i32::try_from(days).unwrap_or(i32::MAX))
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Removes all event IDs of the oldest expired month of events, and then the month. Returns false
/// if no month has expired.
///
/// The IDs are removed first, so that none remains of an event that is gone.
///
/// # Errors
/// The database fails, or another transaction holds a lock on the table: try again later.
#[tracing::instrument(name = "database.retention.remove_event_month", skip_all)]
pub async fn remove_event_month(connection: &mut AsyncPgConnection) -> QueryResult<bool> {
    let Some(month) = partitions::oldest_expired(connection, Partitioned::Events).await? else {
        return Ok(false);
    };
    let mut block = 0;
    while block < month.blocks {
        remove_event_ids(connection, &month, block).await?;
        block += MAX_BLOCKS;
    }
    connection
        .transaction(async |connection| partitions::drop(connection, &month).await)
        .await?;
    Ok(true)
}

/// Removes the IDs of the events in [`MAX_BLOCKS`] blocks of an expired month.
async fn remove_event_ids(
    connection: &mut AsyncPgConnection,
    month: &Expired,
    from_block: i64,
) -> QueryResult<()> {
    sql_query(include_str!("retention/remove_event_ids.sql"))
        .bind::<Timestamptz, _>(month.ends_at.to_diesel())
        .bind::<BigInt, _>(from_block)
        .bind::<BigInt, _>(from_block + MAX_BLOCKS)
        .execute(connection)
        .await
        .map(drop)
}

/// Removes the oldest expired month of the audit log. Returns false if no month has expired.
///
/// # Errors
/// The database fails, or another transaction holds a lock on the table: try again later.
#[tracing::instrument(name = "database.retention.remove_audit_month", skip_all)]
pub async fn remove_audit_month(connection: &mut AsyncPgConnection) -> QueryResult<bool> {
    let Some(month) = partitions::oldest_expired(connection, Partitioned::AuditLog).await? else {
        return Ok(false);
    };
    let detail = json!({"before": month.ends_at.to_string()});
    connection
        .transaction(async |connection| {
            partitions::drop(connection, &month).await?;
            audit_log::write(connection, "retention", "audit.remove", detail).await
        })
        .await?;
    Ok(true)
}

/// Removes up to 5,000 expired sessions. Returns false if none is left.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.retention.remove_sessions", skip_all)]
pub async fn remove_sessions(connection: &mut AsyncPgConnection) -> QueryResult<bool> {
    remove_rows(connection, include_str!("retention/remove_sessions.sql")).await
}

/// Removes up to 5,000 expired events that are set aside. Returns false if none is left.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.retention.remove_set_aside_events", skip_all)]
pub async fn remove_set_aside_events(connection: &mut AsyncPgConnection) -> QueryResult<bool> {
    remove_rows(
        connection,
        include_str!("retention/remove_set_aside_events.sql"),
    )
    .await
}

/// Removes up to 5,000 expired events of the table `correlated_events`. Returns false if none is
/// left.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.retention.remove_correlated_events", skip_all)]
pub async fn remove_correlated_events(connection: &mut AsyncPgConnection) -> QueryResult<bool> {
    remove_rows(
        connection,
        include_str!("retention/remove_correlated_events.sql"),
    )
    .await
}

/// Removes up to 5,000 rows of `rejected_inputs` that are past the retention limit of events.
/// Returns false if none is left.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.retention.remove_rejected_inputs", skip_all)]
pub async fn remove_rejected_inputs(connection: &mut AsyncPgConnection) -> QueryResult<bool> {
    let statement = include_str!("retention/remove_rejected_inputs.sql");
    remove_rows(connection, statement).await
}

async fn remove_rows(connection: &mut AsyncPgConnection, statement: &str) -> QueryResult<bool> {
    let step = sql_query(statement).bind::<BigInt, _>(MAX_ROWS);
    Ok(step.get_result::<Count>(connection).await?.removed > 0)
}
