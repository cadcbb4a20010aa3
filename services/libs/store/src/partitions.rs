//! Monthly partitions of `events` and `audit_log`.

use diesel::{
    OptionalExtension, QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{BigInt, Text, Timestamptz},
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use jiff::Timestamp;

/// Limits the wait for the lock on a partitioned table. Writers queue behind a longer wait.
const LIMIT_LOCK_WAIT: &str = "SET LOCAL lock_timeout = '500ms'";

/// A table that is partitioned by month.
#[derive(Debug, Clone, Copy)]
pub enum Partitioned {
    /// `events`, by time of arrival.
    Events,
    /// `audit_log`, by time of the entry.
    AuditLog,
}

impl Partitioned {
    fn table(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::AuditLog => "audit_log",
        }
    }
}

/// A partition whose month ended before the retention limit.
#[derive(Debug, QueryableByName)]
pub struct Expired {
    #[diesel(sql_type = Text)]
    drop_table: String,
    /// End of the month.
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    pub ends_at: Timestamp,
    /// Size in blocks of the database.
    #[diesel(sql_type = BigInt)]
    pub blocks: i64,
}

/// Creates the missing partitions of this month and the next three, and returns their number.
/// Months are those of UTC, by the clock of the database.
///
/// # Errors
/// The database fails, or another transaction holds a lock on the table: try again later.
#[tracing::instrument(name = "database.partitions.create", skip_all)]
pub async fn create(connection: &mut AsyncPgConnection) -> QueryResult<usize> {
    #[derive(QueryableByName)]
    struct Missing {
        #[diesel(sql_type = Text)]
        create_table: String,
        #[diesel(sql_type = Text)]
        attach: String,
    }
    connection
        .transaction(async |connection| {
            connection.batch_execute(LIMIT_LOCK_WAIT).await?;
            let missing = sql_query(include_str!("partitions/missing.sql"))
                .load::<Missing>(connection)
                .await?;
            for partition in &missing {
                connection.batch_execute(&partition.create_table).await?;
                connection.batch_execute(&partition.attach).await?;
            }
            Ok(missing.len())
        })
        .await
}

/// Returns the oldest partition whose month ended before the retention limit of its table.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.partitions.oldest_expired", skip_all)]
pub async fn oldest_expired(
    connection: &mut AsyncPgConnection,
    table: Partitioned,
) -> QueryResult<Option<Expired>> {
    sql_query(include_str!("partitions/expired.sql"))
        .bind::<Text, _>(table.table())
        .get_result(connection)
        .await
        .optional()
}

/// Drops a partition.
pub(crate) async fn drop(
    connection: &mut AsyncPgConnection,
    partition: &Expired,
) -> QueryResult<()> {
    connection.batch_execute(LIMIT_LOCK_WAIT).await?;
    connection.batch_execute(&partition.drop_table).await
}
