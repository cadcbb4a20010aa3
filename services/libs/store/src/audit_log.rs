//! The audit log records who did what. Services write entries, the operator reads them.

use diesel::{
    QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{BigInt, Jsonb, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jiff::Timestamp;
use jiff_diesel::ToDiesel;
use serde::Serialize;
use serde_json::Value;

use crate::prepared::Prepared;

/// An entry of the audit log.
#[derive(Debug, Serialize, QueryableByName)]
pub struct Entry {
    /// Time at which the entry was written, by the clock of the database.
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    pub at: Timestamp,
    /// The database role that wrote the entry.
    #[diesel(sql_type = Text)]
    pub role: String,
    /// An API client or the operator.
    #[diesel(sql_type = Text)]
    pub actor: String,
    /// Name of the action, for example `v1.reporting.sessions`.
    #[diesel(sql_type = Text)]
    pub action: String,
    /// The parameters of the action.
    #[diesel(sql_type = Jsonb)]
    pub detail: Value,
}

/// Adds an entry.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.audit_log.write", skip_all)]
pub async fn write(
    connection: &mut AsyncPgConnection,
    actor: &str,
    action: &str,
    detail: Value,
) -> QueryResult<()> {
    sql_query("INSERT INTO audit_log (actor, action, detail) VALUES ($1, $2, $3)")
        .bind::<Text, _>(actor)
        .bind::<Text, _>(action)
        .bind::<Jsonb, _>(detail)
        .execute(connection)
        .await
        .map(drop)
}

/// Adds an entry if the API client exists and is enabled. Returns false otherwise. One statement
/// does both, so that disabling a client takes effect at once.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.audit_log.write_for_client", skip_all)]
pub async fn write_for_client(
    connection: &mut AsyncPgConnection,
    client: &str,
    action: &str,
    detail: Value,
) -> QueryResult<bool> {
    let insert = sql_query(
        "INSERT INTO audit_log (actor, action, detail)
         SELECT name, $2, $3 FROM api_clients WHERE name = $1 AND disabled_at IS NULL",
    )
    .bind::<Text, _>(client)
    .bind::<Text, _>(action)
    .bind::<Jsonb, _>(detail);
    Ok(Prepared(insert).execute(connection).await? == 1)
}

/// Selects entries of the audit log. A field without a value selects all entries.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Earliest time of an entry.
    pub from: Option<Timestamp>,
    /// Time before which an entry was written.
    pub until: Option<Timestamp>,
    /// The actor.
    pub actor: Option<String>,
    /// Beginning of the action, for example `console.`.
    pub action: Option<String>,
    /// Position of the last entry of the previous page.
    pub after: Option<(Timestamp, i64)>,
}

/// An entry with its position, which together with its time is unique.
#[derive(Debug, QueryableByName)]
pub struct Found {
    /// The entry.
    #[diesel(embed)]
    pub entry: Entry,
    /// Number of the entry.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
}

/// Returns the latest entries that match `search`, the latest first.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.audit_log.search", skip_all)]
pub async fn search(
    connection: &mut AsyncPgConnection,
    search: &Search,
    limit: u32,
) -> QueryResult<Vec<Found>> {
    let (at, id) = search.after.unzip();
    let instant = |at: Option<Timestamp>| at.map(ToDiesel::to_diesel);
    sql_query(include_str!("audit_log/search.sql"))
        .bind::<Nullable<Timestamptz>, _>(instant(search.from))
        .bind::<Nullable<Timestamptz>, _>(instant(search.until))
        .bind::<Nullable<Text>, _>(&search.actor)
        .bind::<Nullable<Text>, _>(&search.action)
        .bind::<Nullable<Timestamptz>, _>(instant(at))
        .bind::<Nullable<BigInt>, _>(id)
        .bind::<BigInt, _>(i64::from(limit))
        .load(connection)
        .await
}

/// Returns the latest entries since an instant, the latest first.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.audit_log.latest", skip_all)]
pub async fn latest(
    connection: &mut AsyncPgConnection,
    since: Option<Timestamp>,
    limit: u32,
) -> QueryResult<Vec<Entry>> {
    sql_query(
        "SELECT at, role, actor, action, detail FROM audit_log WHERE at >= coalesce($1, '-infinity')
         ORDER BY at DESC, id DESC LIMIT $2",
    )
    .bind::<Nullable<Timestamptz>, _>(since.map(ToDiesel::to_diesel))
    .bind::<BigInt, _>(i64::from(limit))
    .load(connection)
    .await
}
