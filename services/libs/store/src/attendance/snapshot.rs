//! One snapshot of the database for all statements of a report.

use diesel::{
    QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{Array, Integer, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use jiff::{SignedDuration, Timestamp};
use jiff_diesel::ToDiesel;
use rollcall_attendance::{
    completeness::{Completeness, Source},
    name::normalize,
};

use super::{Selection, days::Days};

const SOURCES: &str = include_str!("sources.sql");
const PERSONS: &str = include_str!("persons.sql");

#[derive(QueryableByName)]
struct SourceRow {
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    created_at: Timestamp,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = jiff_diesel::NullableTimestamp)]
    disabled_at: Option<Timestamp>,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = jiff_diesel::NullableTimestamp)]
    complete_through: Option<Timestamp>,
    #[diesel(sql_type = Nullable<Integer>)]
    assume_complete_seconds: Option<i32>,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Integer)]
    id: i32,
}

/// Begins a transaction whose statements all see the same snapshot.
pub(super) async fn begin(connection: &mut AsyncPgConnection) -> QueryResult<()> {
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    connection.batch_execute(begin).await
}

/// Ends the transaction.
pub(super) async fn end(connection: &mut AsyncPgConnection) -> QueryResult<()> {
    connection.batch_execute("COMMIT").await
}

/// Returns the completeness of all sources.
pub(super) async fn completeness(
    connection: &mut AsyncPgConnection,
    now: Timestamp,
) -> QueryResult<Completeness> {
    let sources: Vec<SourceRow> = sql_query(SOURCES).load(connection).await?;
    let seconds = |seconds: i32| SignedDuration::from_secs(seconds.into());
    let sources = sources.into_iter().map(|source| Source {
        created_at: source.created_at,
        disabled_at: source.disabled_at,
        complete_through: source.complete_through,
        assume_complete_after: source.assume_complete_seconds.map(seconds),
    });
    Ok(Completeness::new(&sources.collect::<Vec<_>>(), now))
}

/// Returns the IDs of the selected persons, or None if the selection names none.
pub(super) async fn person_ids(
    connection: &mut AsyncPgConnection,
    selection: &Selection,
    days: &Days,
) -> QueryResult<Option<Vec<i32>>> {
    let Selection {
        users,
        realms,
        employee_ids,
        sources,
        ..
    } = selection;
    if [users, realms, employee_ids, sources].iter().all(|filter| filter.is_empty()) {
        return Ok(None);
    }
    let (start, end) = days.bounds();
    let normalized =
        |names: &[String]| some(names.iter().map(|name| normalize(name)).collect::<Vec<_>>());
    let ids: Vec<Id> = sql_query(PERSONS)
        .bind::<Nullable<Array<Text>>, _>(normalized(users))
        .bind::<Nullable<Array<Text>>, _>(normalized(realms))
        .bind::<Nullable<Array<Text>>, _>(some(employee_ids.clone()))
        .bind::<Nullable<Array<Text>>, _>(some(sources.clone()))
        .bind::<Nullable<Timestamptz>, _>(start.map(ToDiesel::to_diesel))
        .bind::<Nullable<Timestamptz>, _>(end.map(ToDiesel::to_diesel))
        .load(connection)
        .await?;
    Ok(Some(ids.into_iter().map(|row| row.id).collect()))
}

/// Returns None for an empty filter, which selects all.
pub(super) fn some(filter: Vec<String>) -> Option<Vec<String>> {
    (!filter.is_empty()).then_some(filter)
}
