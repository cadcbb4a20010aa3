//! The sessions behind the rows of attendance reports.

use diesel::{
    QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{Array, BigInt, Bool, Date, Integer, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jiff::{Timestamp, civil};
use jiff_diesel::{NullableTimestamp, ToDiesel};
use serde::{Deserialize, Serialize};

use crate::{
    attendance::Moment,
    persons::{PersonFilter, some},
};

/// Names a session.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionKey {
    /// ID of the source.
    pub source_id: i32,
    /// Session ID, unique within the source.
    pub session_id: String,
}

/// Selects sessions.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The session begins at or after this instant. It begins with its login, or with its first
    /// event if no login has arrived.
    pub start: Timestamp,
    /// The session begins before this instant.
    pub end: Timestamp,
    /// Persons of the sessions. An employee ID is that of the mapping on the reporting day in which
    /// the session begins.
    pub persons: PersonFilter,
    /// Names of the sources. Empty selects all.
    pub sources: Vec<String>,
    /// True selects open sessions, false ended ones. None selects both.
    pub is_open: Option<bool>,
    /// The first reporting day of the period, in which mappings are looked up.
    pub first_day: civil::Date,
    /// Bounds of the reporting days, as `Calendar::bounds` returns them.
    pub day_bounds: Vec<Timestamp>,
}

/// The place of a session in the order of the list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Begin of the session.
    pub begin_at: Timestamp,
    /// The session.
    pub key: SessionKey,
}

/// A session and its end.
#[allow(
    clippy::struct_field_names,
    reason = "the fields are columns of the statement"
)]
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct ListedSession {
    #[diesel(sql_type = Integer)]
    source_id: i32,
    #[diesel(sql_type = Text)]
    session_id: String,
    /// Login, or first event if no login has arrived.
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    pub begin_at: Timestamp,
    /// Display form of the user. None until an event names one.
    #[diesel(sql_type = Nullable<Text>)]
    pub user: Option<String>,
    /// Display form of the realm.
    #[diesel(sql_type = Nullable<Text>)]
    pub realm: Option<String>,
    /// The employee to whom the person is mapped on the reporting day in which the session begins.
    #[diesel(sql_type = Nullable<Text>)]
    pub employee_id: Option<String>,
    /// Name of the source.
    #[diesel(sql_type = Text)]
    pub source: String,
    /// Login. None if no login has arrived.
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    pub login_at: Option<Timestamp>,
    /// True for a derived login.
    #[diesel(sql_type = Bool)]
    pub login_derived: bool,
    /// Number of seconds by which the login may be wrong. None without a login.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub login_accuracy_seconds: Option<i64>,
    /// Time of the latest event.
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    pub last_activity_at: Timestamp,
    /// End. None while the session is open.
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    pub ended_at: Option<Timestamp>,
    /// `logout`, `restart` or `timeout`. None while the session is open.
    #[diesel(sql_type = Nullable<Text>)]
    pub end_reason: Option<String>,
    /// Number of seconds by which the end may be wrong. None while the session is open.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub end_accuracy_seconds: Option<i64>,
    /// Time without idle time, where the source measures it.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub active_seconds: Option<i64>,
}

impl ListedSession {
    /// Returns the place of the session in the order of the list.
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            begin_at: self.begin_at,
            key: self.key(),
        }
    }

    /// Returns the name of the session.
    #[must_use]
    pub fn key(&self) -> SessionKey {
        SessionKey {
            source_id: self.source_id,
            session_id: self.session_id.clone(),
        }
    }
}

/// Returns at most `limit` sessions after `after`, ordered by [`Position`].
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sessions.list", skip_all)]
pub async fn list(
    connection: &mut AsyncPgConnection,
    selection: &Selection,
    after: Option<&Position>,
    limit: u32,
    moment: Moment,
) -> QueryResult<Vec<ListedSession>> {
    let persons = selection.persons.ids(connection).await?;
    let start = after.map_or(selection.start, |after| after.begin_at.max(selection.start));
    let bounds = selection.day_bounds.iter().map(|bound| bound.to_diesel());
    sql_query(include_str!("list.sql"))
        .bind::<Timestamptz, _>(start.to_diesel())
        .bind::<Timestamptz, _>(selection.end.to_diesel())
        .bind::<Nullable<Array<Integer>>, _>(persons)
        .bind::<Nullable<Array<Text>>, _>(some(&selection.persons.employee_ids))
        .bind::<Nullable<Array<Text>>, _>(some(&selection.sources))
        .bind::<Nullable<Bool>, _>(selection.is_open)
        .bind::<Date, _>(selection.first_day.to_diesel())
        .bind::<Array<Timestamptz>, _>(bounds.collect::<Vec<_>>())
        .bind::<Timestamptz, _>((moment.now - moment.timeout).to_diesel())
        .bind::<BigInt, _>(moment.timeout.as_secs())
        .bind::<Nullable<Timestamptz>, _>(after.map(|after| after.begin_at.to_diesel()))
        .bind::<Nullable<Integer>, _>(after.map(|after| after.key.source_id))
        .bind::<Nullable<Text>, _>(after.map(|after| &after.key.session_id))
        .bind::<BigInt, _>(i64::from(limit))
        .load(connection)
        .await
}
