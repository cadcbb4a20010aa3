//! Computes the sessions of events with a correlation key, in the transaction that records the
//! events. The domain decides which event belongs to which session:
//! [`rollcall_attendance::correlation`].

mod rows;
mod write;

use std::collections::BTreeMap;

use jiff::Timestamp;
use rollcall_attendance::{
    correlation::{Correlated, Group, sessions},
    session::Session,
};
use tokio_postgres::Error;

use self::rows::{Latest, Stored};
use crate::{
    events::Reported,
    persons::PersonIds,
    recording::{Parameters, Recording, array},
};

const LOCK: &str = include_str!("correlation/lock.sql");
const LATEST: &str = include_str!("correlation/latest.sql");
const NEIGHBOURS: &str = include_str!("correlation/neighbours.sql");

/// Source and correlation key.
type Key = (i32, String);

/// New events by their key.
type NewEvents = BTreeMap<Key, Vec<Correlated>>;

/// The sessions of a key that new events change.
struct Changed {
    new: Vec<Correlated>,
    /// Stored events whose sessions may change.
    stored: Vec<Stored>,
    /// The sessions of all these events.
    sessions: Vec<Group>,
}

/// Returns true if an event has a correlation key.
pub(crate) fn is_needed(events: &[&Reported]) -> bool {
    let mut events = events.iter();
    events.any(|reported| reported.event.correlation_key().is_some())
}

/// Adds the events that have a correlation key, and computes the sessions that they change. The
/// caller's transaction has recorded the events. `ids` has all persons that they name.
pub(crate) async fn add(
    connection: &mut Recording,
    events: &[&Reported],
    ids: &PersonIds,
) -> Result<(), Error> {
    let new = by_key(events);
    if new.is_empty() {
        return Ok(());
    }
    connection.query(LOCK, keys(&new)).await?;
    let mut ids = ids.clone();
    let mut latest = latest(connection, &new, &mut ids).await?;
    let (late, in_order): (NewEvents, NewEvents) = new.into_iter().partition(|(key, new)| {
        latest
            .get(key)
            .is_some_and(|latest| latest.is_in_doubt(new))
    });
    let mut stored = neighbours(connection, &late, &mut ids).await?;
    let timeout = connection.session_timeout;
    let in_order = in_order.into_iter().map(|(key, new)| {
        let running = latest.remove(&key).and_then(|latest| latest.session);
        let sessions = sessions(&key.1, running, new.clone(), timeout);
        let stored = Vec::new();
        (
            key,
            Changed {
                new,
                stored,
                sessions,
            },
        )
    });
    let late = late.into_iter().map(|(key, new)| {
        let stored = stored.remove(&key).unwrap_or_default();
        let all = stored.iter().map(|stored| &stored.event).chain(&new);
        let sessions = sessions(&key.1, None, all.cloned().collect(), timeout);
        (
            key,
            Changed {
                new,
                stored,
                sessions,
            },
        )
    });
    let changed: Vec<_> = in_order.chain(late).collect();
    write::write(connection, &changed, &ids).await
}

fn by_key(events: &[&Reported]) -> NewEvents {
    let mut new = NewEvents::new();
    for Reported {
        source_id, event, ..
    } in events
    {
        if let (Some(key), Some(part)) = (event.correlation_key(), Session::of(event)) {
            let event_id = event.event_id.clone();
            let key = (*source_id, key.to_owned());
            let events = new.entry(key).or_default();
            events.push(Correlated { event_id, part });
        }
    }
    new
}

fn first(events: &[Correlated]) -> Timestamp {
    let times = events.iter().map(Correlated::at);
    times.min().unwrap_or(Timestamp::MAX)
}

fn last(events: &[Correlated]) -> Timestamp {
    let times = events.iter().map(Correlated::at);
    times.max().unwrap_or(Timestamp::MIN)
}

fn keys(new: &NewEvents) -> Parameters<'_> {
    vec![
        array(new.keys().map(|(source_id, _)| *source_id)),
        array(new.keys().map(|(_, key)| key.as_str())),
    ]
}

/// Returns the latest stored event of each key.
async fn latest(
    connection: &mut Recording,
    new: &NewEvents,
    ids: &mut PersonIds,
) -> Result<BTreeMap<Key, Latest>, Error> {
    let rows = connection.query(LATEST, keys(new)).await?;
    rows.iter().map(|row| rows::latest(row, ids)).collect()
}

/// Returns all events of the sessions that late events may change.
async fn neighbours(
    connection: &mut Recording,
    late: &NewEvents,
    ids: &mut PersonIds,
) -> Result<BTreeMap<Key, Vec<Stored>>, Error> {
    let mut stored = BTreeMap::<Key, Vec<Stored>>::new();
    if late.is_empty() {
        return Ok(stored);
    }
    let mut parameters = keys(late);
    parameters.push(array(late.values().map(|new| first(new))));
    parameters.push(array(late.values().map(|new| last(new))));
    for row in connection.query(NEIGHBOURS, parameters).await? {
        let (key, event) = rows::stored(&row, ids)?;
        stored.entry(key).or_default().push(event);
    }
    Ok(stored)
}
