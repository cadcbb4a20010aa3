//! One snapshot of the database for all statements of a report.

use diesel::result::QueryResult;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use jiff::Timestamp;
use rollcall_attendance::completeness::Completeness;

use super::Selection;
use crate::{persons::PersonFilter, sources};

/// Begins a transaction whose statements all see the same snapshot.
pub(super) async fn begin(connection: &mut AsyncPgConnection) -> QueryResult<()> {
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    connection.batch_execute(begin).await
}

/// Ends the transaction.
pub(super) async fn end(connection: &mut AsyncPgConnection) -> QueryResult<()> {
    connection.batch_execute("COMMIT").await
}

/// Returns the completeness of all sources at `now`.
pub(super) async fn completeness(
    connection: &mut AsyncPgConnection,
    now: Timestamp,
) -> QueryResult<Completeness> {
    let (_, sources): (Vec<_>, Vec<_>) = sources::counted(connection).await?.into_iter().unzip();
    Ok(Completeness::new(&sources, now))
}

/// Returns the filter of the persons of a selection.
pub(super) fn persons(selection: &Selection) -> PersonFilter {
    PersonFilter {
        users: selection.users.clone(),
        realms: selection.realms.clone(),
        employee_ids: selection.employee_ids.clone(),
    }
}

/// Returns None for an empty filter, which selects all.
pub(super) fn some(filter: &[String]) -> Option<Vec<String>> {
    (!filter.is_empty()).then(|| filter.to_vec())
}
