//! API clients: who may ask for tokens.

use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, Queryable, QueryableByName,
    dsl::exists,
    insert_into,
    result::QueryResult,
    select, sql_query,
    sql_types::{BigInt, Nullable, Text, Timestamptz},
    update,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jiff::Timestamp;
use jiff_diesel::{NullableTimestamp, ToDiesel};
use serde::Serialize;

use crate::schema::api_clients::dsl;

/// An API client with its locks, as shown to the operator.
#[derive(Debug, Serialize, QueryableByName)]
pub struct ApiClient {
    /// User name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Scopes, separated by spaces.
    #[diesel(sql_type = Text)]
    pub scope: String,
    /// Time at which the client was added.
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    pub created_at: Timestamp,
    /// Time at which the client was disabled.
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    pub disabled_at: Option<Timestamp>,
    /// Number of addresses from which the client cannot sign in now.
    #[diesel(sql_type = BigInt)]
    pub locked_addresses: i64,
    /// End of the longest of these locks.
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    pub locked_until: Option<Timestamp>,
    /// Time of the latest sign-in, to 15 minutes.
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    pub last_sign_in_at: Option<Timestamp>,
    /// Time until which the client cannot sign in from an address that it has never signed in from.
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    pub new_addresses_closed_until: Option<Timestamp>,
}

/// Adds a client. Returns false if the name is taken.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.api_clients.add", skip_all)]
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

/// Returns every client with its locks at `now`, by name.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.api_clients.list", skip_all)]
pub async fn list(
    connection: &mut AsyncPgConnection,
    now: Timestamp,
) -> QueryResult<Vec<ApiClient>> {
    sql_query(
        "SELECT name, scope, created_at, disabled_at, locked_addresses, locked_until,
             last_sign_in_at, sign_in_closed_until(id, $1) AS new_addresses_closed_until
         FROM api_clients CROSS JOIN LATERAL (
             SELECT count(*) FILTER (WHERE until > $1) AS locked_addresses,
                 max(until) FILTER (WHERE until > $1) AS locked_until,
                 max(last_success_at) AS last_sign_in_at
             FROM sign_in_attempts, sign_in_locked_until(failures, last_failure_at) AS until
             WHERE client_id = api_clients.id) AS attempts
         ORDER BY name",
    )
    .bind::<Timestamptz, _>(now.to_diesel())
    .load(connection)
    .await
}

/// Disables a client. Returns false if there is no client with this name.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.api_clients.disable", skip_all)]
pub async fn disable(
    connection: &mut AsyncPgConnection,
    name: &str,
    now: Timestamp,
) -> QueryResult<bool> {
    Ok(update(dsl::api_clients.filter(dsl::name.eq(name)))
        .set(dsl::disabled_at.eq(now.to_diesel()))
        .execute(connection)
        .await?
        == 1)
}

/// Sets a new password and enables and unlocks a client. Returns false if there is no client with
/// this name.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.api_clients.rotate", skip_all)]
pub async fn rotate(
    connection: &mut AsyncPgConnection,
    name: &str,
    password_hash: &str,
) -> QueryResult<bool> {
    let enabled = dsl::disabled_at.eq(None::<jiff_diesel::Timestamp>);
    let version = dsl::password_version.eq(dsl::password_version + 1);
    let changed = update(dsl::api_clients.filter(dsl::name.eq(name)))
        .set((dsl::password_hash.eq(password_hash), enabled, version))
        .execute(connection)
        .await?;
    Ok(changed == 1 && unlock(connection, name).await?)
}

/// Forgets the failed sign-ins of a client from all addresses. Returns false if there is no client
/// with this name.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.api_clients.unlock", skip_all)]
pub async fn unlock(connection: &mut AsyncPgConnection, name: &str) -> QueryResult<bool> {
    sql_query(
        "UPDATE sign_in_attempts SET failures = 0, pending = 0, window_failures = 0
         WHERE client_id = (SELECT id FROM api_clients WHERE name = $1)",
    )
    .bind::<Text, _>(name)
    .execute(connection)
    .await?;
    let known = dsl::api_clients.filter(dsl::name.eq(name)).select(dsl::id);
    select(exists(known)).get_result(connection).await
}

/// Returns the scope of an enabled client.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.api_clients.scope_of", skip_all)]
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

/// State of an enabled client.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Permission {
    /// Scopes, separated by spaces.
    pub scope: String,
    /// Number of the client's password. A new password has a greater one.
    pub password_version: i32,
}

/// Returns what a client may do, or `None` if it is disabled or unknown.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.api_clients.permission", skip_all)]
pub async fn permission(
    connection: &mut AsyncPgConnection,
    name: &str,
) -> QueryResult<Option<Permission>> {
    let enabled = dsl::api_clients
        .filter(dsl::name.eq(name))
        .filter(dsl::disabled_at.is_null());
    enabled
        .select((dsl::scope, dsl::password_version))
        .first(connection)
        .await
        .optional()
}
