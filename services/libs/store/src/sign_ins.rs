//! Sign-in attempts of API clients: the state that decides about an attempt, and the counters for
//! locks.
//!
//! The limits are in the SQL functions `sign_in_…` in `migrations/`. An address is an IPv4 address
//! or a /64 network of IPv6.

use diesel::{
    QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{BigInt, Bool, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jiff::Timestamp;
use jiff_diesel::ToDiesel;

/// State that decides about a sign-in attempt.
#[derive(Debug, Clone, QueryableByName)]
pub struct Account {
    /// ID of the API client, or 0 for an unknown name.
    #[diesel(sql_type = BigInt)]
    pub client_id: i64,
    /// PHC string. `None` for an unknown or disabled client.
    #[diesel(sql_type = Nullable<Text>)]
    pub password_hash: Option<String>,
    /// Scopes, separated by spaces.
    #[diesel(sql_type = Text)]
    pub scope: String,
    /// True if this client has signed in from this address before.
    #[diesel(sql_type = Bool)]
    pub known_address: bool,
    /// True if a success must be written, because there are failures to forget or the last success
    /// was written at least 15 minutes ago.
    #[diesel(sql_type = Bool)]
    pub success_is_news: bool,
    #[diesel(sql_type = Text)]
    standing: String,
}

/// Decision whether a client may try a password from an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The client may try a password.
    Open,
    /// Attempts whose passwords are being checked have reached the limit.
    Undecided,
    /// The address has too many failures, or the client is closed to addresses that it has never
    /// signed in from.
    Locked,
}

impl Account {
    /// Returns whether the client may try a password.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match self.standing.as_str() {
            "open" => Standing::Open,
            "undecided" => Standing::Undecided,
            _ => Standing::Locked,
        }
    }
}

/// Looks up a name without writing.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sign_ins.look_up", skip_all)]
pub async fn look_up(
    connection: &mut AsyncPgConnection,
    name: &str,
    address: &str,
    now: Timestamp,
) -> QueryResult<Account> {
    sql_query(include_str!("sign_ins/look_up.sql"))
        .bind::<Text, _>(name)
        .bind::<Text, _>(address)
        .bind::<Timestamptz, _>(now.to_diesel())
        .get_result(connection)
        .await
}

/// Counts an attempt before its password is checked, so that neither a crash nor parallel attempts
/// bypass the limits. Returns false if the address is locked or the client is closed to it.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sign_ins.begin", skip_all)]
pub async fn begin(
    connection: &mut AsyncPgConnection,
    client_id: i64,
    address: &str,
    now: Timestamp,
) -> QueryResult<bool> {
    let statement = include_str!("sign_ins/begin.sql");
    Ok(execute(connection, statement, client_id, address, now).await? == 1)
}

/// Ends an attempt whose password was wrong.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sign_ins.failed", skip_all)]
pub async fn failed(
    connection: &mut AsyncPgConnection,
    client_id: i64,
    address: &str,
    now: Timestamp,
) -> QueryResult<()> {
    let statement = include_str!("sign_ins/failed.sql");
    execute(connection, statement, client_id, address, now)
        .await
        .map(drop)
}

/// Ends an attempt whose password was right.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sign_ins.succeeded", skip_all)]
pub async fn succeeded(
    connection: &mut AsyncPgConnection,
    client_id: i64,
    address: &str,
    now: Timestamp,
) -> QueryResult<()> {
    let statement = include_str!("sign_ins/succeeded.sql");
    execute(connection, statement, client_id, address, now)
        .await
        .map(drop)
}

/// Removes up to 10,000 rows that no longer affect a decision: their failures are forgotten, and
/// the last success is more than a year old.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sign_ins.prune", skip_all)]
pub async fn prune(connection: &mut AsyncPgConnection, now: Timestamp) -> QueryResult<usize> {
    sql_query(
        "DELETE FROM sign_in_attempts WHERE (client_id, address) IN (
             SELECT client_id, address FROM sign_in_attempts
             WHERE sign_in_quiet_at(failures, last_failure_at) <= $1
                 AND coalesce(last_success_at, '-infinity') < $1 - interval '1 year'
             LIMIT 10000 FOR UPDATE SKIP LOCKED)",
    )
    .bind::<Timestamptz, _>(now.to_diesel())
    .execute(connection)
    .await
}

async fn execute(
    connection: &mut AsyncPgConnection,
    statement: &str,
    client_id: i64,
    address: &str,
    now: Timestamp,
) -> QueryResult<usize> {
    sql_query(statement)
        .bind::<BigInt, _>(client_id)
        .bind::<Text, _>(address)
        .bind::<Timestamptz, _>(now.to_diesel())
        .execute(connection)
        .await
}
