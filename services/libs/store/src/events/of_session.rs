//! The events behind a session, as evidence.

use diesel::{
    QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jiff::Timestamp;
use jiff_diesel::{NullableTimestamp, ToDiesel};

use crate::sessions::SessionKey;

/// An event of a session.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
#[allow(missing_docs, reason = "as in the table, unless documented")]
pub struct EventOfSession {
    #[diesel(sql_type = Text)]
    pub event_id: String,
    /// `login`, `active` or `logout`.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// True for a derived login.
    #[diesel(sql_type = Bool)]
    pub is_derived: bool,
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    pub occurred_at: Timestamp,
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    pub received_at: Timestamp,
    #[diesel(sql_type = Text)]
    pub receiver: String,
    /// Name of the imported file that brought the event.
    #[diesel(sql_type = Nullable<Text>)]
    pub import: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub user: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub realm: Option<String>,
    /// Name of the user before name rules changed it.
    #[diesel(sql_type = Nullable<Text>)]
    pub reported_user: Option<String>,
    /// Name of the realm before name rules changed it.
    #[diesel(sql_type = Nullable<Text>)]
    pub reported_realm: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub display_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub correlation_key: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub client_ip: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub wan_ip: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub mac: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub device: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub class: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub active_seconds: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub duration_seconds: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub next_in_seconds: Option<i64>,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    pub last_activity_at: Option<Timestamp>,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    pub complete_through: Option<Timestamp>,
    #[diesel(sql_type = Bool)]
    pub clock_skewed: bool,
    #[diesel(sql_type = Bool)]
    pub is_late: bool,
}

/// Returns at most `limit` events of a session after `after`, ordered by (time, event ID). Returns
/// None if there is no such session.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.events.of_session", skip_all)]
pub async fn of_session(
    connection: &mut AsyncPgConnection,
    session: &SessionKey,
    after: Option<&(Timestamp, String)>,
    limit: u32,
) -> QueryResult<Option<Vec<EventOfSession>>> {
    #[derive(QueryableByName)]
    struct Known {
        #[diesel(sql_type = Bool)]
        is_known: bool,
    }
    let known = "SELECT EXISTS (
            SELECT FROM sessions WHERE session_id = $2 AND source_id = $1
        ) AS is_known";
    let known = sql_query(known)
        .bind::<Integer, _>(session.source_id)
        .bind::<Text, _>(&session.session_id);
    if !known.get_result::<Known>(connection).await?.is_known {
        return Ok(None);
    }
    let events = sql_query(include_str!("of_session.sql"))
        .bind::<Integer, _>(session.source_id)
        .bind::<Text, _>(&session.session_id)
        .bind::<Nullable<Timestamptz>, _>(after.map(|(at, _)| at.to_diesel()))
        .bind::<Nullable<Text>, _>(after.map(|(_, event_id)| event_id))
        .bind::<BigInt, _>(i64::from(limit));
    events.load(connection).await.map(Some)
}
