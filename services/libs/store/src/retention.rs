//! What keeps the database in shape: partitions made ahead, and what is past retention removed step by step.
//!
//! Each step is a database function. The role `ingestion` may call these functions but has no other
//! right to delete: see `migrations/`.

use diesel::{
    QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{BigInt, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jiff::Timestamp;
use jiff_diesel::ToDiesel;

/// Sessions that one step removes: few enough that nobody waits for it.
const STEP: i64 = 5_000;

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Nullable<BigInt>)]
    number: Option<i64>,
}

/// Makes the partitions of this month and the next three, where they are missing.
///
/// # Errors
/// The database fails, or a long transaction holds the table: ask again later.
pub async fn make_partitions(connection: &mut AsyncPgConnection) -> QueryResult<()> {
    sql_query("SELECT make_partitions(3)")
        .execute(connection)
        .await
        .map(drop)
}

/// One step of removing the ids of events that arrived in the oldest month which ended by `before`, from a block of its table
/// on; tells the block to go on with, none when the month is done.
///
/// # Errors
/// The database fails.
pub async fn remove_event_ids(
    connection: &mut AsyncPgConnection,
    before: Timestamp,
    from_block: i64,
) -> QueryResult<Option<i64>> {
    step(
        connection,
        "SELECT expire_event_ids($1, $2) AS number",
        before,
        from_block,
    )
    .await
}

/// Removes that month; false when there is none.
///
/// # Errors
/// The database fails, or a long transaction holds the table: ask again later.
pub async fn remove_event_month(
    connection: &mut AsyncPgConnection,
    before: Timestamp,
) -> QueryResult<bool> {
    remove_month(connection, "SELECT expire_event_month($1) AS name", before).await
}

/// Removes the oldest month of the audit log that ended by `before`. Returns false when there is
/// none.
///
/// # Errors
/// The database fails, or a long transaction holds the table: ask again later.
pub async fn remove_audit_month(
    connection: &mut AsyncPgConnection,
    before: Timestamp,
) -> QueryResult<bool> {
    remove_month(connection, "SELECT expire_audit_month($1) AS name", before).await
}

async fn remove_month(
    connection: &mut AsyncPgConnection,
    statement: &str,
    before: Timestamp,
) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Month {
        #[diesel(sql_type = Nullable<Text>)]
        name: Option<String>,
    }
    let month = sql_query(statement).bind::<Timestamptz, _>(before.to_diesel());
    Ok(month.get_result::<Month>(connection).await?.name.is_some())
}

/// One step of removing the sessions last seen before `before`; false when none are left.
///
/// # Errors
/// The database fails.
pub async fn remove_sessions(
    connection: &mut AsyncPgConnection,
    before: Timestamp,
) -> QueryResult<bool> {
    let removed = step(
        connection,
        "SELECT expire_sessions($1, $2::integer) AS number",
        before,
        STEP,
    )
    .await?;
    Ok(removed > Some(0))
}

async fn step(
    connection: &mut AsyncPgConnection,
    statement: &str,
    before: Timestamp,
    number: i64,
) -> QueryResult<Option<i64>> {
    let step = sql_query(statement)
        .bind::<Timestamptz, _>(before.to_diesel())
        .bind::<BigInt, _>(number);
    Ok(step.get_result::<Number>(connection).await?.number)
}
