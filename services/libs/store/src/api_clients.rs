//! API clients: who may ask for tokens.

use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, QueryableByName, Selectable, SelectableHelper,
    insert_into,
    prelude::Queryable,
    result::QueryResult,
    sql_query,
    sql_types::{Bool, Integer, Text},
    update,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jiff::Timestamp;
use jiff_diesel::{NullableTimestamp, ToDiesel};
use serde::Serialize;

use crate::schema::api_clients::{self, dsl};

/// What an attempt to sign in is judged by.
#[derive(Debug, QueryableByName)]
pub struct Attempt {
    /// PHC string; empty for a name that is unknown.
    #[diesel(sql_type = Text)]
    pub password_hash: String,
    /// Separated by spaces.
    #[diesel(sql_type = Text)]
    pub scope: String,
    /// Whether the right password is enough: the client is known, enabled and not locked.
    #[diesel(sql_type = Bool)]
    pub allowed: bool,
}

/// What the operator sees of a client.
#[derive(Debug, Serialize, Queryable, Selectable)]
#[diesel(table_name = api_clients, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs, reason = "as in the table")]
pub struct ApiClient {
    pub name: String,
    pub scope: String,
    #[diesel(deserialize_as = jiff_diesel::Timestamp)]
    pub created_at: Timestamp,
    #[diesel(deserialize_as = NullableTimestamp)]
    pub disabled_at: Option<Timestamp>,
    pub failures: i32,
}

/// Counts an attempt before its password is looked at, so that neither a crash nor parallel guesses
/// get past the limit. An unknown name is counted on a row of its own: it costs the same.
///
/// # Errors
/// The database fails.
pub async fn attempt(
    connection: &mut AsyncPgConnection,
    name: &str,
    limit: i32,
    window_seconds: u32,
    now: Timestamp,
) -> QueryResult<Attempt> {
    sql_query(
        "UPDATE api_clients SET
             failures = CASE WHEN failure_window_at < $2 - make_interval(secs => $3) THEN 1 ELSE failures + 1 END,
             failure_window_at = CASE WHEN failure_window_at < $2 - make_interval(secs => $3) THEN $2 ELSE failure_window_at END
         WHERE name = coalesce((SELECT name FROM api_clients WHERE name = $1), '')
         RETURNING password_hash, scope, disabled_at IS NULL AND failures <= $4 AS allowed",
    )
    .bind::<Text, _>(name)
    .bind::<diesel::sql_types::Timestamptz, _>(now.to_diesel())
    .bind::<diesel::sql_types::Double, _>(f64::from(window_seconds))
    .bind::<Integer, _>(limit)
    .get_result(connection)
    .await
}

/// Forgets the failures of a client that has signed in.
///
/// # Errors
/// The database fails.
pub async fn succeeded(connection: &mut AsyncPgConnection, name: &str) -> QueryResult<()> {
    update(dsl::api_clients.filter(dsl::name.eq(name)))
        .set(dsl::failures.eq(0))
        .execute(connection)
        .await
        .map(drop)
}

/// Adds a client; false when the name is taken.
///
/// # Errors
/// The database fails.
pub async fn add(
    connection: &mut AsyncPgConnection,
    name: &str,
    password_hash: &str,
    scope: &str,
) -> QueryResult<bool> {
    let added = insert_into(dsl::api_clients)
        .values((
            dsl::name.eq(name),
            dsl::password_hash.eq(password_hash),
            dsl::scope.eq(scope),
        ))
        .on_conflict(dsl::name)
        .do_nothing()
        .execute(connection)
        .await?;
    Ok(added == 1)
}

/// Every client, by name.
///
/// # Errors
/// The database fails.
pub async fn list(connection: &mut AsyncPgConnection) -> QueryResult<Vec<ApiClient>> {
    dsl::api_clients
        .filter(dsl::name.ne(""))
        .order(dsl::name)
        .select(ApiClient::as_select())
        .load(connection)
        .await
}

/// Disables a client; false when there is none of this name.
///
/// # Errors
/// The database fails.
pub async fn disable(
    connection: &mut AsyncPgConnection,
    name: &str,
    now: Timestamp,
) -> QueryResult<bool> {
    let known = dsl::api_clients
        .filter(dsl::name.eq(name))
        .filter(dsl::name.ne(""));
    Ok(update(known)
        .set(dsl::disabled_at.eq(now.to_diesel()))
        .execute(connection)
        .await?
        == 1)
}

/// Gives a client a new password, enables and unlocks it; false when there is none of this name.
///
/// # Errors
/// The database fails.
pub async fn rotate(
    connection: &mut AsyncPgConnection,
    name: &str,
    password_hash: &str,
) -> QueryResult<bool> {
    let known = dsl::api_clients
        .filter(dsl::name.eq(name))
        .filter(dsl::name.ne(""));
    let enabled = dsl::disabled_at.eq(None::<jiff_diesel::Timestamp>);
    let changed = update(known)
        .set((
            dsl::password_hash.eq(password_hash),
            enabled,
            dsl::failures.eq(0),
        ))
        .execute(connection)
        .await?;
    Ok(changed == 1)
}

/// The scope of an enabled client.
///
/// # Errors
/// The database fails.
pub async fn scope_of(
    connection: &mut AsyncPgConnection,
    name: &str,
) -> QueryResult<Option<String>> {
    let enabled = dsl::api_clients
        .filter(dsl::name.eq(name))
        .filter(dsl::disabled_at.is_null());
    enabled
        .select(dsl::scope)
        .first(connection)
        .await
        .optional()
}
