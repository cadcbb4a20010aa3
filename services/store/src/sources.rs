//! Sources: the gateways that report sessions.

use std::collections::BTreeMap;

use attendance::event::Fact;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, Selectable, SelectableHelper, insert_into,
    prelude::Queryable,
    result::QueryResult,
    sql_query,
    sql_types::{Integer, Nullable, Timestamptz},
    update,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jiff::Timestamp;
use jiff_diesel::{NullableTimestamp, ToDiesel};
use serde::Serialize;

use crate::{
    events::Reported,
    schema::sources::{self, dsl},
};

/// What the operator sees of a source.
#[derive(Debug, Serialize, Queryable, Selectable)]
#[diesel(table_name = sources, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs, reason = "as in the table")]
pub struct Source {
    pub name: String,
    #[diesel(deserialize_as = jiff_diesel::Timestamp)]
    pub created_at: Timestamp,
    #[diesel(deserialize_as = NullableTimestamp)]
    pub disabled_at: Option<Timestamp>,
    #[diesel(deserialize_as = NullableTimestamp)]
    pub complete_through: Option<Timestamp>,
    #[diesel(deserialize_as = NullableTimestamp)]
    pub last_restart_at: Option<Timestamp>,
}

/// The enabled source that has this key.
///
/// # Errors
/// The database fails.
pub async fn by_key(connection: &mut AsyncPgConnection, key_hash: &[u8]) -> QueryResult<Option<i32>> {
    let enabled = dsl::sources.filter(dsl::key_hash.eq(key_hash)).filter(dsl::disabled_at.is_null());
    enabled.select(dsl::id).first(connection).await.optional()
}

/// The enabled source of this name.
///
/// # Errors
/// The database fails.
pub async fn by_name(connection: &mut AsyncPgConnection, name: &str) -> QueryResult<Option<i32>> {
    let enabled = dsl::sources.filter(dsl::name.eq(name)).filter(dsl::disabled_at.is_null());
    enabled.select(dsl::id).first(connection).await.optional()
}

/// Adds a source; false when the name is taken.
///
/// # Errors
/// The database fails.
pub async fn add(connection: &mut AsyncPgConnection, name: &str, key_hash: &[u8]) -> QueryResult<bool> {
    let added = insert_into(dsl::sources)
        .values((dsl::name.eq(name), dsl::key_hash.eq(key_hash)))
        .on_conflict(dsl::name)
        .do_nothing()
        .execute(connection)
        .await?;
    Ok(added == 1)
}

/// Every source, by name.
///
/// # Errors
/// The database fails.
pub async fn list(connection: &mut AsyncPgConnection) -> QueryResult<Vec<Source>> {
    dsl::sources.order(dsl::name).select(Source::as_select()).load(connection).await
}

/// Disables a source; false when there is none of this name.
///
/// # Errors
/// The database fails.
pub async fn disable(connection: &mut AsyncPgConnection, name: &str, now: Timestamp) -> QueryResult<bool> {
    let known = dsl::sources.filter(dsl::name.eq(name));
    Ok(update(known).set(dsl::disabled_at.eq(now.to_diesel())).execute(connection).await? == 1)
}

/// Gives a source a new key and enables it; false when there is none of this name.
///
/// # Errors
/// The database fails.
pub async fn rotate_key(connection: &mut AsyncPgConnection, name: &str, key_hash: &[u8]) -> QueryResult<bool> {
    let known = dsl::sources.filter(dsl::name.eq(name));
    let enabled = dsl::disabled_at.eq(None::<jiff_diesel::Timestamp>);
    Ok(update(known).set((dsl::key_hash.eq(key_hash), enabled)).execute(connection).await? == 1)
}

/// Moves what the sources say of themselves forward: complete through, and the latest restart.
pub(crate) async fn advance(connection: &mut AsyncPgConnection, events: &[&Reported]) -> QueryResult<()> {
    let mut news: BTreeMap<i32, (Option<Timestamp>, Option<Timestamp>)> = BTreeMap::new();
    for Reported { source_id, event } in events {
        let restart = (event.fact == Fact::Restart).then_some(event.occurred_at);
        if event.complete_through.is_some() || restart.is_some() {
            let (complete_through, last_restart) = news.entry(*source_id).or_default();
            *complete_through = (*complete_through).max(event.complete_through);
            *last_restart = (*last_restart).max(restart);
        }
    }
    for (source_id, (complete_through, last_restart)) in news {
        // GREATEST ignores nulls.
        sql_query(
            "UPDATE sources SET complete_through = GREATEST(complete_through, $2), last_restart_at = GREATEST(last_restart_at, $3)
             WHERE id = $1",
        )
        .bind::<Integer, _>(source_id)
        .bind::<Nullable<Timestamptz>, _>(complete_through.map(ToDiesel::to_diesel))
        .bind::<Nullable<Timestamptz>, _>(last_restart.map(ToDiesel::to_diesel))
        .execute(connection)
        .await?;
    }
    Ok(())
}
