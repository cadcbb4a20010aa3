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

use super::Source;
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

impl Source {
    /// Returns the facts on which completeness depends. None for a source that only imports, which
    /// does not count.
    #[must_use]
    pub fn completeness(&self) -> Option<completeness::Source> {
        (!self.imports_only).then(|| completeness::Source {
            created_at: self.created_at,
            disabled_at: self.disabled_at,
            complete_through: self.complete_through,
            assume_complete_after: length(self.assume_complete_seconds),
        })
    }

    /// Returns the instant up to which the source has reported everything at `now`, as the source
    /// says or as is assumed.
    #[must_use]
    pub fn complete_through(&self, now: Timestamp) -> Option<Timestamp> {
        self.completeness()
            .and_then(|known| known.complete_through(now))
    }
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
        let source = completeness::Source {
            created_at: row.created_at,
            disabled_at: row.disabled_at,
            complete_through: row.complete_through,
            assume_complete_after: length(row.assume_complete_seconds),
        };
        (row.name, source)
    };
    Ok(rows.into_iter().map(parse).collect())
}

fn length(seconds: Option<i32>) -> Option<SignedDuration> {
    seconds.map(|seconds| SignedDuration::from_secs(seconds.into()))
}
