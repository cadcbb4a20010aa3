//! Statistics of sources: sums of `arrivals`, gaps, and what the metrics show.

use diesel::{
    QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{BigInt, Double, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jiff::Timestamp;

/// Maximum number of rows of `arrivals` that one step sums up.
pub const MAX_ROWS: i64 = 50_000;

/// Result of a step.
#[derive(Debug, Clone, Copy, QueryableByName)]
pub struct Summed {
    /// Rows of `arrivals` that were summed up. Fewer than [`MAX_ROWS`] means that none is left.
    #[diesel(sql_type = BigInt)]
    pub rows: i64,
    /// Gaps that were found.
    #[diesel(sql_type = BigInt)]
    pub gaps: i64,
}

/// Statistics of all sources together.
#[derive(Debug, Clone, Default, QueryableByName)]
pub struct Totals {
    /// Number of enabled sources.
    #[diesel(sql_type = BigInt)]
    pub enabled: i64,
    /// Number of enabled sources that have sent nothing for longer than the limit.
    #[diesel(sql_type = BigInt)]
    pub silent: i64,
    /// Number of events recorded.
    #[diesel(sql_type = BigInt)]
    pub events: i64,
    /// Number of events whose time was far from their arrival.
    #[diesel(sql_type = BigInt)]
    pub clock_skewed: i64,
    /// Number of events that are set aside.
    #[diesel(sql_type = BigInt)]
    pub set_aside: i64,
}

/// An enabled source and when it was last heard.
#[derive(Debug, Clone, QueryableByName)]
pub struct Heard {
    /// Name of the source.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Latest time of arrival, or the time of registration if nothing has arrived yet.
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    pub last_received_at: Timestamp,
}

/// Adds up to [`MAX_ROWS`] rows of `arrivals` to the statistics of their sources. A source that had
/// sent nothing for longer than `gap_seconds` gets a gap.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.source_statistics.sum_up", skip_all)]
pub async fn sum_up(connection: &mut AsyncPgConnection, gap_seconds: u32) -> QueryResult<Summed> {
    sql_query(include_str!("source_statistics/sum_up.sql"))
        .bind::<Double, _>(f64::from(gap_seconds))
        .bind::<BigInt, _>(MAX_ROWS)
        .get_result(connection)
        .await
}

/// Returns the statistics of all sources together. A source counts as silent if it has sent nothing
/// for longer than `gap_seconds`.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.source_statistics.totals", skip_all)]
pub async fn totals(connection: &mut AsyncPgConnection, gap_seconds: u32) -> QueryResult<Totals> {
    sql_query(include_str!("source_statistics/totals.sql"))
        .bind::<Double, _>(f64::from(gap_seconds))
        .get_result(connection)
        .await
}

/// Returns the `number` enabled sources that have been silent the longest, longest first.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.source_statistics.longest_silent", skip_all)]
pub async fn longest_silent(
    connection: &mut AsyncPgConnection,
    number: i64,
) -> QueryResult<Vec<Heard>> {
    sql_query(include_str!("source_statistics/longest_silent.sql"))
        .bind::<BigInt, _>(number)
        .load(connection)
        .await
}
