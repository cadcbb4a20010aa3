//! Events that the database refused for an unknown reason. They are kept with the error, and can be
//! replayed after the cause is removed.
//!
//! The key of such an event is in `event_ids`, like that of a recorded event. So the same event is
//! not stored twice, and another event with the same event ID is a conflict.

use std::net::IpAddr;

use rollcall_attendance::event::{Event, Evidence, Fact, Kind, Names, SessionName};
use tokio_postgres::{Error, Row, error::SqlState};

use crate::{
    events::{self, Receiver, Reported},
    persons::Search,
    recording::{Recording, array},
};

const SET_ASIDE: &str = include_str!("events/set_aside.sql");

/// Sets an event aside with the error of the database.
///
/// # Errors
/// The database fails. The event is then not set aside.
#[tracing::instrument(name = "database.set_aside.add", skip_all)]
pub async fn add(
    connection: &mut Recording,
    reported: &Reported,
    sqlstate: &str,
    message: &str,
) -> Result<(), Error> {
    let mut parameters = events::parameters(&[reported]);
    parameters.push(array([sqlstate].into_iter()));
    parameters.push(array([message].into_iter()));
    match connection.query(SET_ASIDE, parameters).await {
        // Another replica has recorded or set aside the same event meanwhile.
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// Returns the events of a source that are set aside, in order of arrival.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.set_aside.of_source", skip_all)]
pub async fn of_source(connection: &Recording, source_id: i32) -> Result<Vec<Reported>, Error> {
    let all = "SELECT * FROM set_aside_events JOIN event_ids USING (source_id, event_id)
        WHERE source_id = $1 ORDER BY received_at, event_id";
    let rows = connection.query_once(all, &[&source_id]).await?;
    let with_digest = |row| {
        let mut reported = reported(row)?;
        reported.event.input_digest = row.try_get::<_, &[u8]>("digest")?.try_into().ok();
        Ok(reported)
    };
    rows.iter().map(with_digest).collect()
}

/// Records an event that is set aside, with its original time of arrival. Returns false if the
/// event is no longer set aside.
///
/// # Errors
/// The database fails or refuses the event again. The event then remains set aside.
#[tracing::instrument(name = "database.set_aside.replay", skip_all)]
pub async fn replay(connection: &mut Recording, reported: &Reported) -> Result<bool, Error> {
    let mut search = Search::begin(connection, &[reported]).await?;
    let is_replayed = connection
        .transaction(async |connection| {
            let key: [&(dyn tokio_postgres::types::ToSql + Sync); 2] =
                [&reported.source_id, &reported.event.event_id];
            let moved = connection
                .query_once("SELECT replay_event($1, $2)", &key)
                .await?;
            let is_replayed = moved.first().map_or(Ok(false), |row| row.try_get(0))?;
            if is_replayed {
                events::apply(connection, &[reported], &mut search).await?;
            }
            Ok(is_replayed)
        })
        .await?;
    search.keep(&connection.known_persons);
    Ok(is_replayed)
}

/// Returns the event in a row of `events` or of `set_aside_events`.
pub(crate) fn reported(row: &Row) -> Result<Reported, Error> {
    let address = |column| -> Result<Option<IpAddr>, Error> {
        let text: Option<&str> = row.try_get(column)?;
        Ok(text.and_then(|text| text.parse().ok()))
    };
    let event = Event {
        event_id: row.try_get("event_id")?,
        occurred_at: row.try_get("occurred_at")?,
        fact: fact(row)?,
        complete_through: row.try_get("complete_through")?,
        evidence: Evidence {
            reason: row.try_get("reason")?,
            display_name: row.try_get("display_name")?,
            client_ip: address("client_ip")?,
            wan_ip: address("wan_ip")?,
            mac: row.try_get("mac")?,
            device: row.try_get("device")?,
            active_seconds: row.try_get("active_seconds")?,
            duration_seconds: row.try_get("duration_seconds")?,
            next_in_seconds: row.try_get("next_in_seconds")?,
            last_activity_at: row.try_get("last_activity_at")?,
            class: row.try_get("class")?,
        },
        clock_skewed: row.try_get("clock_skewed")?,
        input_digest: None,
        reported_names: reported_names(row)?,
    };
    Ok(Reported {
        source_id: row.try_get("source_id")?,
        event,
        // Replaying copies the stored name, so a name of a later version is not lost.
        receiver: Receiver::parse(row.try_get("receiver")?).unwrap_or(Receiver::Http),
    })
}

fn reported_names(row: &Row) -> Result<Option<Names>, Error> {
    let Some(user) = row.try_get("reported_user")? else {
        return Ok(None);
    };
    let realm = row.try_get("reported_realm")?;
    Ok(Some(Names { user, realm }))
}

fn fact(row: &Row) -> Result<Fact, Error> {
    let kind = match row.try_get("kind")? {
        "login" => Kind::Login,
        "derived_login" => Kind::DerivedLogin,
        "active" => Kind::Active,
        "logout" => Kind::Logout,
        _ => return Ok(Fact::Restart),
    };
    let session = match row.try_get("session_id")? {
        Some(id) => SessionName::Id(id),
        None => SessionName::CorrelationKey(row.try_get("correlation_key")?),
    };
    Ok(Fact::Session {
        kind,
        session,
        user: row.try_get("user_name")?,
        realm: row.try_get("realm")?,
    })
}
