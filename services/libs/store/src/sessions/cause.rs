//! Causes of the end of sessions without a logout.

use diesel::{
    QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{Array, Integer, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jiff::Timestamp;
use jiff_diesel::NullableTimestamp;

use super::SessionKey;

/// Possible causes of the end of a session. The end reason tells which of both it was.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Cause {
    #[diesel(sql_type = Integer)]
    source_id: i32,
    #[diesel(sql_type = Text)]
    session_id: String,
    /// The first restart of the source after the last activity.
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    pub restarted_at: Option<Timestamp>,
    /// When the next activity should have come, as the latest event announced it. None if the
    /// session was closed by timeout because it was silent for too long.
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    pub announced_at: Option<Timestamp>,
}

impl Cause {
    /// Returns the name of the session.
    #[must_use]
    pub fn key(&self) -> SessionKey {
        SessionKey {
            source_id: self.source_id,
            session_id: self.session_id.clone(),
        }
    }
}

/// Returns what may have closed each of these sessions.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sessions.causes", skip_all)]
pub async fn causes(
    connection: &mut AsyncPgConnection,
    sessions: &[SessionKey],
) -> QueryResult<Vec<Cause>> {
    let source_ids: Vec<i32> = sessions.iter().map(|key| key.source_id).collect();
    let session_ids: Vec<&str> = sessions.iter().map(|key| key.session_id.as_str()).collect();
    sql_query(include_str!("cause.sql"))
        .bind::<Array<Integer>, _>(source_ids)
        .bind::<Array<Text>, _>(session_ids)
        .load(connection)
        .await
}
