//! A single snapshot of the database for all statements of a report.

use diesel::{
    result::QueryResult,
    sql_query,
    sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use jiff::Timestamp;
use jiff_diesel::ToDiesel;
use rollcall_attendance::completeness::Completeness;

use super::{Position, Selection, days::Days};
use crate::{
    persons::{Id, PersonFilter},
    sources,
};

/// Begins a transaction whose statements all see the same snapshot. The planner sees the parameters
/// of each: a plan for all persons and any period fits no report.
pub(super) async fn begin(connection: &mut AsyncPgConnection) -> QueryResult<()> {
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
                 SET LOCAL plan_cache_mode = force_custom_plan";
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
fn persons(selection: &Selection) -> PersonFilter {
    PersonFilter {
        users: selection.users.clone(),
        realms: selection.realms.clone(),
        employee_ids: selection.employee_ids.clone(),
    }
}

/// Returns the IDs of the selected persons, or None if the selection names none.
pub(super) async fn person_ids(
    connection: &mut AsyncPgConnection,
    selection: &Selection,
    days: &Days,
) -> QueryResult<Option<Vec<i32>>> {
    let ids = persons(selection).ids(connection).await?;
    if selection.sources.is_empty() {
        return Ok(ids);
    }
    let (start, end) = days.bounds();
    let rows: Vec<Id> = sql_query(include_str!("persons_of_sources.sql"))
        .bind::<Array<Text>, _>(&selection.sources)
        .bind::<Nullable<Timestamptz>, _>(start.map(ToDiesel::to_diesel))
        .bind::<Nullable<Timestamptz>, _>(end.map(ToDiesel::to_diesel))
        .bind::<Nullable<Array<Integer>>, _>(ids)
        .load(connection)
        .await?;
    Ok(Some(rows.into_iter().map(|row| row.id).collect()))
}

/// Returns the IDs of the persons with the first `limit` rows after `after`. Each person has at most
/// one row. `person_ids` are the selected persons, or None for all.
pub(super) async fn persons_of_page(
    connection: &mut AsyncPgConnection,
    days: &Days,
    person_ids: Option<Vec<i32>>,
    (after, limit): (Option<&Position>, u32),
) -> QueryResult<Vec<i32>> {
    let (start, end) = days.bounds();
    let rows: Vec<Id> = sql_query(include_str!("persons_of_page.sql"))
        .bind::<Nullable<Timestamptz>, _>(start.map(ToDiesel::to_diesel))
        .bind::<Nullable<Timestamptz>, _>(end.map(ToDiesel::to_diesel))
        .bind::<Nullable<Text>, _>(after.map(|after| &after.user))
        .bind::<Nullable<Text>, _>(after.map(|after| &after.realm))
        .bind::<Nullable<Array<Integer>>, _>(person_ids)
        .bind::<BigInt, _>(i64::from(limit))
        .load(connection)
        .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
