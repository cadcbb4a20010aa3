//! Sessions: merged from events, and summarized in the rows of a report.

mod cause;
mod list;

use std::collections::BTreeMap;

pub use cause::{Cause, causes};
use diesel::{
    QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{BigInt, Bool, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures::{Stream, TryStreamExt, stream::BoxStream};
use jiff::{SignedDuration, Timestamp};
use jiff_diesel::ToDiesel;
pub use list::{ListedSession, Position, Selection as ListSelection, SessionKey, list};
use rollcall_attendance::{name::normalize, period::Period, session::Session};
use serde::Serialize;
use tracing::{Instrument, info_span};

use crate::{
    events::Reported,
    persons::PersonIds,
    pool::{self, Connection, StreamConnection},
    recording::{Parameters, array},
};

const MERGE: &str = include_str!("sessions/merge.sql");
const REPORT: &str = include_str!("sessions/report.sql");
const REPORT_OF_USER: &str = include_str!("sessions/report_of_user.sql");
const OF_USER: &str = include_str!("sessions/of_user.sql");

/// Returns the statement that merges events into their sessions, or None if no event has a session
/// ID. The events are merged among themselves first. `person_ids` has all persons that they name.
pub(crate) fn merge<'a>(
    events: &[&'a Reported],
    person_ids: &PersonIds,
) -> Option<(&'static str, Parameters<'a>)> {
    let mut merged: BTreeMap<(i32, &str), Session> = BTreeMap::new();
    for Reported {
        source_id, event, ..
    } in events
    {
        let (Some(session_id), Some(session)) = (event.session_id(), Session::of(event)) else {
            continue;
        };
        let key = (*source_id, session_id);
        let session = match merged.remove(&key) {
            Some(known) => known.merge(session),
            None => session,
        };
        merged.insert(key, session);
    }
    let keys = || merged.keys();
    (!merged.is_empty()).then(|| {
        let mut parameters: Parameters = vec![
            array(keys().map(|(source_id, _)| *source_id)),
            array(keys().map(|(_, session_id)| *session_id)),
        ];
        parameters.extend(columns(&merged.values(), person_ids));
        (MERGE, parameters)
    })
}

/// Returns the columns of sessions after those that name them. `person_ids` has all their persons.
pub(crate) fn columns<'a>(
    sessions: &(impl Iterator<Item = &'a Session> + Clone),
    person_ids: &PersonIds,
) -> Parameters<'static> {
    let sessions = || sessions.clone();
    let owners = || sessions().map(|session| session.owner.as_ref());
    vec![
        array(owners().map(|owner| person_ids.get(&owner?.person).copied())),
        array(owners().map(|owner| owner.map(|owner| owner.names_realm))),
        array(owners().map(|owner| owner.map(|owner| owner.named_at))),
        array(sessions().map(|session| session.login.map(|login| login.at))),
        array(sessions().map(|session| session.login.is_some_and(|login| login.derived))),
        array(sessions().map(|session| session.logout_at)),
        array(sessions().map(|session| session.last_activity_at)),
        array(sessions().map(|session| session.next_due_at)),
        array(sessions().map(|session| session.active_seconds)),
        array(sessions().map(|session| session.first_event_at)),
    ]
}

/// A session and its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, QueryableByName)]
pub struct SessionSummary {
    /// Display form of the user.
    #[diesel(sql_type = Text)]
    pub user: String,
    /// Display form of the realm.
    #[diesel(sql_type = Text)]
    pub realm: String,
    /// Login time, UTC. None if no login has arrived.
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = jiff_diesel::NullableTimestamp)]
    pub login_at: Option<Timestamp>,
    /// True for a derived login.
    #[diesel(sql_type = Bool)]
    pub login_derived: bool,
    /// Number of seconds by which the login may be wrong: 0 if the gateway reported it. None
    /// without a login.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub login_accuracy_seconds: Option<i64>,
    /// Time of the latest event, UTC.
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    pub last_activity_at: Timestamp,
    /// End, UTC. None while the session is open.
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = jiff_diesel::NullableTimestamp)]
    pub ended_at: Option<Timestamp>,
    /// `logout`, `restart` or `timeout`. None while the session is open.
    #[diesel(sql_type = Nullable<Text>)]
    pub end_reason: Option<String>,
    /// Number of seconds by which the end may be wrong: 0 for a logout. None while the session is
    /// open.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub end_accuracy_seconds: Option<i64>,
    /// Name of the source.
    #[diesel(sql_type = Text)]
    pub source: String,
    /// Session ID, unique within the source.
    #[diesel(sql_type = Text)]
    pub session_id: String,
}

/// Returns the sessions of a user, in any case, that have an activity since `from` and began before
/// `to`. Sessions without a login are among them. Sessions whose last activity is before
/// `now - timeout` are closed by timeout.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sessions.of_user", skip_all)]
pub async fn of_user(
    connection: &mut AsyncPgConnection,
    user: &str,
    (from, to): (Timestamp, Timestamp),
    (now, timeout): (Timestamp, SignedDuration),
) -> QueryResult<Vec<SessionSummary>> {
    sql_query(OF_USER)
        .bind::<Text, _>(normalize(user))
        .bind::<Timestamptz, _>(from.to_diesel())
        .bind::<Timestamptz, _>(to.to_diesel())
        .bind::<Timestamptz, _>((now - timeout).to_diesel())
        .bind::<BigInt, _>(timeout.as_secs())
        .load(connection)
        .await
}

/// Selects the rows of a report.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Sessions whose login is in this period.
    pub period: Period,
    /// User name, in any case. None selects all users.
    pub user: Option<String>,
    /// Realm, in any case. None selects all realms.
    pub realm: Option<String>,
}

/// The sessions of one person in a period.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Row {
    /// Display form of the user.
    #[diesel(sql_type = Text)]
    pub user: String,
    /// Display form of the realm.
    #[diesel(sql_type = Text)]
    pub realm: String,
    /// Earliest login, UTC.
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    pub first_login_at: Timestamp,
    /// Latest end, UTC. None while one of the sessions is open.
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = jiff_diesel::NullableTimestamp)]
    pub last_logout_at: Option<Timestamp>,
}

/// Returns the rows ordered by user, then realm (normalized, by code point). Only a few rows are in
/// memory at the same time. Sessions whose last activity is before `now - timeout` are closed by
/// timeout. The connection returns to the pool after the last row. If the stream is dropped
/// earlier, the connection is closed.
pub fn report(
    connection: Connection,
    selection: &Selection,
    (now, timeout): (Timestamp, SignedDuration),
) -> impl Stream<Item = Result<Row, pool::Error>> + use<> {
    let (period, user) = (selection.period, selection.user.as_deref().map(normalize));
    let realm = selection.realm.as_deref().map(normalize);
    let mut connection = StreamConnection::new(connection);
    async_stream::try_stream! {
        {
            let query = sql_query(if user.is_some() { REPORT_OF_USER } else { REPORT })
                .bind::<Timestamptz, _>(period.start.to_diesel())
                .bind::<Timestamptz, _>(period.end.to_diesel())
                .bind::<Timestamptz, _>((now - timeout).to_diesel())
                .bind::<Nullable<Text>, _>(realm)
                .bind::<BigInt, _>(timeout.as_secs());
            let connection = connection.connection()?;
            let span = info_span!("database.sessions.report");
            let mut rows: BoxStream<_> = match user {
                Some(user) => {
                    let query = query.bind::<Text, _>(user);
                    Box::pin(query.load_stream::<Row>(connection).instrument(span).await?)
                }
                None => Box::pin(query.load_stream::<Row>(connection).instrument(span).await?),
            };
            while let Some(row) = rows.try_next().await? {
                yield row;
            }
        }
        connection.finish();
    }
}
