//! Gaps: intervals in which a source sent nothing.

use diesel::{
    QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jiff::Timestamp;

/// An interval in which a source sent nothing, and which `complete_through` does not cover.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Gap {
    /// Name of the source.
    #[diesel(sql_type = Text)]
    pub source: String,
    /// Time of the last event before the gap.
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    pub from_at: Timestamp,
    /// Time of the first event after the gap.
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    pub to_at: Timestamp,
}

/// Returns the latest gaps of each of these sources, at most `limit` of one source, in the order of
/// (source, time).
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sources.gaps", skip_all)]
pub async fn gaps(
    connection: &mut AsyncPgConnection,
    sources: &[String],
    limit: u32,
) -> QueryResult<Vec<Gap>> {
    sql_query(include_str!("gaps.sql"))
        .bind::<diesel::sql_types::Array<Text>, _>(sources)
        .bind::<diesel::sql_types::BigInt, _>(i64::from(limit))
        .load(connection)
        .await
}
