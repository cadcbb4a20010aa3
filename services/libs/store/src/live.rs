//! Open sessions: who is connected now.

use diesel::{
    QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{Array, BigInt, Date, Integer, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jiff::{Timestamp, civil};
use jiff_diesel::{NullableTimestamp, ToDiesel};
use serde::{Deserialize, Serialize};

use crate::{attendance::Moment, persons::PersonFilter, sessions::SessionKey};

/// Selects open sessions.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Persons of the sessions. An employee ID is that of the mapping on any day.
    pub persons: PersonFilter,
    /// The present reporting day, in which mappings are looked up.
    pub today: civil::Date,
}

/// The place of a session in the order of the list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Normalized user. Empty if no event has named one.
    pub user: String,
    /// Normalized realm.
    pub realm: String,
    /// The session.
    pub key: SessionKey,
}

/// An open session.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct OpenSession {
    #[diesel(sql_type = Integer)]
    source_id: i32,
    #[diesel(sql_type = Text)]
    session_id: String,
    #[diesel(sql_type = Text)]
    normalized_user: String,
    #[diesel(sql_type = Text)]
    normalized_realm: String,
    /// Display form of the user. None until an event names one.
    #[diesel(sql_type = Nullable<Text>)]
    pub user: Option<String>,
    /// Display form of the realm.
    #[diesel(sql_type = Nullable<Text>)]
    pub realm: Option<String>,
    /// The employee to whom the person is mapped today.
    #[diesel(sql_type = Nullable<Text>)]
    pub employee_id: Option<String>,
    /// Name of the source.
    #[diesel(sql_type = Text)]
    pub source: String,
    /// Login. None if no login has arrived.
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    pub login_at: Option<Timestamp>,
    /// Time of the latest event.
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    pub last_activity_at: Timestamp,
    /// Address of the client, of the latest event that has one.
    #[diesel(sql_type = Nullable<Text>)]
    pub client_ip: Option<String>,
}

impl OpenSession {
    /// Returns the place of the session in the order of the list.
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            user: self.normalized_user.clone(),
            realm: self.normalized_realm.clone(),
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

/// Returns at most `limit` open sessions after `after`, ordered by [`Position`].
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.live.list", skip_all)]
pub async fn list(
    connection: &mut AsyncPgConnection,
    selection: &Selection,
    after: Option<&Position>,
    limit: u32,
    moment: Moment,
) -> QueryResult<Vec<OpenSession>> {
    let persons = selection.persons.ids(connection).await?;
    sql_query(include_str!("live/list.sql"))
        .bind::<Timestamptz, _>((moment.now - moment.timeout).to_diesel())
        .bind::<Date, _>(selection.today.to_diesel())
        .bind::<Nullable<Array<Integer>>, _>(persons)
        .bind::<Nullable<Text>, _>(after.map(|after| &after.user))
        .bind::<Nullable<Text>, _>(after.map(|after| &after.realm))
        .bind::<Nullable<Integer>, _>(after.map(|after| after.key.source_id))
        .bind::<Nullable<Text>, _>(after.map(|after| &after.key.session_id))
        .bind::<BigInt, _>(i64::from(limit))
        .bind::<BigInt, _>(moment.timeout.as_secs())
        .load(connection)
        .await
}
