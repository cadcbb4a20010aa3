//! Imports of files. Each records the events that it brought, so that the import can be undone.

use std::collections::BTreeMap;

use diesel::{
    QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{BigInt, Integer, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jiff::Timestamp;
use jiff_diesel::NullableTimestamp;
use serde::Serialize;
use tokio_postgres::Error;

use crate::{
    events::{self, EventKey, Reported},
    persons::Search,
    recording::{Parameters, Recording, array},
    sessions, set_aside,
};

const RECORD: &str = include_str!("imports/record.sql");
pub(crate) const CLAIM: &str = include_str!("imports/claim.sql");

/// An import. The numbers are `None` while it is running, or if it was interrupted.
#[derive(Debug, Clone, Serialize, QueryableByName)]
#[allow(missing_docs, reason = "as in the table")]
pub struct Import {
    #[diesel(sql_type = Integer)]
    pub id: i32,
    #[diesel(sql_type = Text)]
    pub source: String,
    #[diesel(sql_type = Text)]
    pub file: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub person: Option<String>,
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    pub started_at: Timestamp,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    pub finished_at: Option<Timestamp>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub rows: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub rejected_rows: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub accepted_events: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub duplicate_events: Option<i64>,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    pub undone_at: Option<Timestamp>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub withdrawn_events: Option<i64>,
}

/// Numbers of rows and events of an import.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Counts {
    /// Rows of the file, without the header.
    pub rows: i64,
    /// Rows of which at least one event was not recorded.
    pub rejected_rows: i64,
    /// Events that are new.
    pub accepted_events: i64,
    /// Events that are recorded already, or repeated in the file.
    pub duplicate_events: i64,
}

/// Begins an import, writes the audit entry and returns the ID of the import.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.imports.begin", skip_all)]
pub async fn begin(
    connection: &mut AsyncPgConnection,
    source_id: i32,
    file_name: &str,
    person: Option<&str>,
) -> QueryResult<i32> {
    #[derive(QueryableByName)]
    struct Begun {
        #[diesel(sql_type = Integer)]
        id: i32,
    }
    let begun = sql_query(include_str!("imports/begin.sql"))
        .bind::<Integer, _>(source_id)
        .bind::<Text, _>(file_name)
        .bind::<Nullable<Text>, _>(person);
    Ok(begun.get_result::<Begun>(connection).await?.id)
}

/// Ends an import.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.imports.finish", skip_all)]
pub async fn finish(
    connection: &mut AsyncPgConnection,
    id: i32,
    counts: &Counts,
) -> QueryResult<()> {
    sql_query(
        "UPDATE imports SET finished_at = now(), rows = $2, rejected_rows = $3,
             accepted_events = $4, duplicate_events = $5 WHERE id = $1",
    )
    .bind::<Integer, _>(id)
    .bind::<BigInt, _>(counts.rows)
    .bind::<BigInt, _>(counts.rejected_rows)
    .bind::<BigInt, _>(counts.accepted_events)
    .bind::<BigInt, _>(counts.duplicate_events)
    .execute(connection)
    .await
    .map(drop)
}

/// Returns the imports, the latest first. `id` selects one of them.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.imports.list", skip_all)]
pub async fn list(connection: &mut AsyncPgConnection, id: Option<i32>) -> QueryResult<Vec<Import>> {
    sql_query(include_str!("imports/list.sql"))
        .bind::<Nullable<Integer>, _>(id)
        .load(connection)
        .await
}

/// Returns the name of the advisory lock that a running import holds.
#[must_use]
pub fn lock_name(id: i32) -> String {
    format!("import {id}")
}

/// Returns the statement that notes the events that an import brought. `brought` says of each
/// whether the import recorded it.
pub(crate) fn record<'a>(
    import: i32,
    brought: &BTreeMap<EventKey<'a>, bool>,
) -> (&'static str, Parameters<'a>) {
    let parameters: Parameters = vec![
        Box::new(import),
        array(brought.keys().map(|(source_id, _)| *source_id)),
        array(brought.keys().map(|(_, event_id)| *event_id)),
        array(brought.values().copied()),
    ];
    (RECORD, parameters)
}

/// Notes that an import brought an event that was set aside.
pub(crate) async fn note_set_aside(
    connection: &mut Recording,
    import: i32,
    reported: &Reported,
) -> Result<(), Error> {
    let brought = BTreeMap::from([(events::key(reported), true)]);
    let (statement, parameters) = record(import, &brought);
    connection.query(statement, parameters).await.map(drop)
}

/// Undoes an import in one transaction. Events that a receiver or another import brought too remain.
/// `person` is for the audit log.
///
/// # Errors
/// The database fails, or it refuses with the SQLSTATE [`REFUSED`] and a message that says why.
#[tracing::instrument(name = "database.imports.undo", skip_all)]
pub async fn undo(connection: &mut Recording, id: i32, person: Option<&str>) -> Result<(), Error> {
    connection
        .transaction(async |connection| {
            // Reads whole months of events, which can take longer than the limit of the role.
            let no_limit = "SET LOCAL statement_timeout = 0";
            connection.query_once(no_limit, &[]).await?;
            let withdraw = "SELECT * FROM withdraw_import($1, $2)";
            let rows = connection.query_once(withdraw, &[&id, &person]).await?;
            let remaining = rows
                .iter()
                .map(set_aside::reported)
                .collect::<Result<Vec<_>, _>>()?;
            merge(connection, &remaining.iter().collect::<Vec<_>>()).await
        })
        .await
}

/// SQLSTATE with which the database refuses to undo an import.
pub const REFUSED: &str = "P0001";

/// Merges the remaining events of sessions whose rows are removed.
async fn merge(connection: &mut Recording, events: &[&Reported]) -> Result<(), Error> {
    let mut search = Search::begin(connection, events).await?;
    // The events were recorded with their persons, so there is nothing to write.
    let ids = search.write(connection).await?;
    if let Some((statement, parameters)) = sessions::merge(events, ids) {
        connection.query(statement, parameters).await?;
    }
    Ok(())
}
