//! Advisory locks: one replica at a time does a job.

use diesel::{
    QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{Bool, Text},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

/// Acquires the advisory lock of this name, and returns false if another session holds it. The lock
/// is held until the connection closes.
///
/// # Errors
/// The database fails.
pub async fn try_acquire(connection: &mut AsyncPgConnection, name: &str) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Bool)]
        acquired: bool,
    }
    let answer = sql_query("SELECT pg_try_advisory_lock(hashtext('rollcall ' || $1)) AS acquired")
        .bind::<Text, _>(name);
    Ok(answer.get_result::<Answer>(connection).await?.acquired)
}
