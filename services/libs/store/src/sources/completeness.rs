//! Facts about sources on which completeness depends.

use diesel::{
    QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{Integer, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jiff::{SignedDuration, Timestamp};
use jiff_diesel::NullableTimestamp;
use rollcall_attendance::completeness;

use crate::prepared::Prepared;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    created_at: Timestamp,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    disabled_at: Option<Timestamp>,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    complete_through: Option<Timestamp>,
    #[diesel(sql_type = Nullable<Integer>)]
    assume_complete_seconds: Option<i32>,
}

/// Returns the sources that count for completeness, by name. Sources that only import do not.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sources.counted", skip_all)]
pub async fn counted(
    connection: &mut AsyncPgConnection,
) -> QueryResult<Vec<(String, completeness::Source)>> {
    let query = sql_query(
        "SELECT name, created_at, disabled_at, complete_through, assume_complete_seconds
         FROM sources WHERE NOT imports_only ORDER BY name COLLATE \"C\"",
    );
    let rows: Vec<Row> = Prepared(query).load(connection).await?;
    let parse = |row: Row| {
        let seconds = row.assume_complete_seconds;
        let source = completeness::Source {
            created_at: row.created_at,
            disabled_at: row.disabled_at,
            complete_through: row.complete_through,
            assume_complete_after: seconds.map(|seconds| SignedDuration::from_secs(seconds.into())),
        };
        (row.name, source)
    };
    Ok(rows.into_iter().map(parse).collect())
}
