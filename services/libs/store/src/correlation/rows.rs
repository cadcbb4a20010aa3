//! Rows of the stored events and sessions of a correlation key.

use jiff::Timestamp;
use rollcall_attendance::{
    correlation::{Correlated, Group},
    person::Person,
    session::{Login, Owner, Session},
};
use tokio_postgres::{Error, Row};

use super::{Key, first};
use crate::persons::PersonIds;

/// The latest stored event of a key.
pub(super) struct Latest {
    at: Timestamp,
    /// Session of the event. None if the events of that time belong to several sessions.
    pub(super) session: Option<Group>,
}

impl Latest {
    /// Returns true if new events do not simply follow the stored ones, so that stored events must
    /// be read to compute their sessions.
    pub(super) fn is_in_doubt(&self, new: &[Correlated]) -> bool {
        self.session.is_none() || self.at >= first(new)
    }
}

/// A stored event.
pub(super) struct Stored {
    pub(super) event: Correlated,
    pub(super) session_id: String,
}

/// Parses a row of `latest.sql`. Adds the person of the session to `ids`.
pub(super) fn latest(row: &Row, ids: &mut PersonIds) -> Result<(Key, Latest), Error> {
    let session = match row.try_get("last_activity_at")? {
        Some(last_activity_at) => Some(session(row, last_activity_at, ids)?),
        None => None,
    };
    let at = row.try_get("latest_at")?;
    Ok((key(row)?, Latest { at, session }))
}

fn session(row: &Row, last_activity_at: Timestamp, ids: &mut PersonIds) -> Result<Group, Error> {
    let login_at: Option<Timestamp> = row.try_get("login_at")?;
    let derived = row.try_get("login_derived")?;
    Ok(Group {
        session_id: row.try_get("session_id")?,
        session: Session {
            owner: owner(row, ids, || row.try_get("named_at"))?,
            login: login_at.map(|at| Login { derived, at }),
            logout_at: row.try_get("logout_at")?,
            last_activity_at,
            next_due_at: row.try_get("next_due_at")?,
            active_seconds: row.try_get("active_seconds")?,
            first_event_at: row.try_get("first_event_at")?,
        },
        event_ids: Vec::new(),
    })
}

/// Parses a row of `neighbours.sql`. Adds the person of the event to `ids`.
pub(super) fn stored(row: &Row, ids: &mut PersonIds) -> Result<(Key, Stored), Error> {
    let at: Timestamp = row.try_get("occurred_at")?;
    let kind: &str = row.try_get("kind")?;
    let derived_login_at: Option<Timestamp> = row.try_get("derived_login_at")?;
    let login = (kind == "login").then_some(Login { derived: false, at });
    let part = Session {
        owner: owner(row, ids, || Ok(at))?,
        login: login.or(derived_login_at.map(|at| Login { derived: true, at })),
        logout_at: (kind == "logout").then_some(at),
        last_activity_at: at,
        next_due_at: row.try_get("next_due_at")?,
        active_seconds: row.try_get("active_seconds")?,
        first_event_at: at,
    };
    let event_id = row.try_get("event_id")?;
    let event = Correlated { event_id, part };
    let session_id = row.try_get("session_id")?;
    Ok((key(row)?, Stored { event, session_id }))
}

fn key(row: &Row) -> Result<Key, Error> {
    Ok((row.try_get("source_id")?, row.try_get("correlation_key")?))
}

fn owner(
    row: &Row,
    ids: &mut PersonIds,
    named_at: impl Fn() -> Result<Timestamp, Error>,
) -> Result<Option<Owner>, Error> {
    let Some(person_id) = row.try_get("person_id")? else {
        return Ok(None);
    };
    let person = Person {
        user: row.try_get("normalized_user")?,
        realm: row.try_get("normalized_realm")?,
    };
    ids.insert(person.clone(), person_id);
    Ok(Some(Owner {
        names_realm: row.try_get("names_realm")?,
        named_at: named_at()?,
        person,
    }))
}
