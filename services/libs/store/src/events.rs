//! Recording events: the append-only log, and in the same transaction the sessions merged from it.

use std::collections::{BTreeMap, HashMap, HashSet};

use rollcall_attendance::event::{Event, Fact, Kind};
use tokio_postgres::{Error, error::SqlState};

use crate::{
    recording::Recording,
    sessions, sources,
    statement::{Column, Part, Statement, column},
};

/// An event and the source whose credentials brought it.
#[derive(Debug, Clone)]
pub struct Reported {
    /// The source.
    pub source_id: i32,
    /// Event of the source.
    pub event: Event,
}

/// Outcome of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The event is new and was recorded.
    Accepted,
    /// The same event is recorded already.
    Duplicate,
    /// Another event with the same event ID is recorded.
    Conflict,
    /// The database refused the event for an unknown reason. The event is kept, and the operator
    /// can replay it.
    SetAside,
}

type Key<'a> = (i32, &'a str);

/// Records a batch in one transaction and tells the outcome of each event, in order.
///
/// Rows are locked in the order of their keys, events before sessions before sources, so that
/// batches that overlap do not deadlock.
///
/// # Errors
/// The database fails; then nothing of the batch is recorded.
pub async fn record(connection: &mut Recording, batch: &[Reported]) -> Result<Vec<Outcome>, Error> {
    let mut first: BTreeMap<Key, &Reported> = BTreeMap::new();
    for reported in batch {
        first.entry(key(reported)).or_insert(reported);
    }
    let candidates: Vec<&Reported> = first.into_values().collect();
    let at_once = record_at_once(connection, &candidates).await?;
    if at_once && candidates.len() == batch.len() {
        return Ok(vec![Outcome::Accepted; batch.len()]);
    }
    let mut known = if at_once {
        HashMap::new()
    } else {
        record_in_steps(connection, candidates).await?
    };
    Ok(batch
        .iter()
        .map(|reported| outcome(reported, &mut known))
        .collect())
}

/// Records a batch with one statement, which is enough for nearly every batch. Returns false, and
/// records nothing, if an event is already known or concerns its source.
async fn record_at_once(connection: &mut Recording, events: &[&Reported]) -> Result<bool, Error> {
    if events.is_empty()
        || events
            .iter()
            .any(|reported| sources::concerns(&reported.event))
    {
        return Ok(false);
    }
    let mut parts = vec![
        Part::Sql(GIVEN),
        Part::Columns(columns(events)),
        Part::Sql(RECORD_ALL),
    ];
    // Keys before sessions, as in steps.
    parts.extend(sessions::merge_statement(
        events,
        " CROSS JOIN (SELECT count(*) FROM keys) AS first",
    ));
    match connection.execute(&Statement(parts)).await {
        Ok(()) => Ok(true),
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Records the new ones among `events` in several steps. Returns the events that are already known.
async fn record_in_steps(
    connection: &mut Recording,
    events: Vec<&Reported>,
) -> Result<Known, Error> {
    connection
        .transaction(async |connection| {
            let inserted = insert(connection, &events).await?;
            let (new, old): (Vec<&Reported>, Vec<&Reported>) =
                events.into_iter().partition(|reported| {
                    inserted.contains(&(reported.source_id, reported.event.event_id.clone()))
                });
            let known = look_up(connection, &old).await?;
            sessions::merge(connection, &new).await?;
            sources::advance(connection, &new).await?;
            if new.is_empty() {
                force_commit_record(connection).await?;
            }
            Ok(known)
        })
        .await
}

fn key(reported: &Reported) -> Key<'_> {
    (reported.source_id, &reported.event.event_id)
}

/// Events that are known already, by their keys.
type Known = HashMap<(i32, String), KnownEvent>;

struct KnownEvent {
    digest: Vec<u8>,
    is_set_aside: bool,
}

/// Returns the outcome of an event. `known` has the events recorded before this batch. An event
/// without an entry was just recorded, and is added so that later events of the batch are compared
/// with it.
fn outcome(reported: &Reported, known: &mut Known) -> Outcome {
    let digest = reported.event.digest();
    match known.get(&(reported.source_id, reported.event.event_id.clone())) {
        Some(event) if event.digest.as_slice() != digest => Outcome::Conflict,
        Some(event) if event.is_set_aside => Outcome::SetAside,
        Some(_) => Outcome::Duplicate,
        None => {
            let recorded = KnownEvent {
                digest: digest.to_vec(),
                is_set_aside: false,
            };
            known.insert(
                (reported.source_id, reported.event.event_id.clone()),
                recorded,
            );
            Outcome::Accepted
        }
    }
}

/// Writes a logical message. A transaction that found only duplicates has written nothing, so its
/// commit would not wait for the disk or for a standby, although the events may not be there yet.
async fn force_commit_record(connection: &Recording) -> Result<(), Error> {
    let write = "SELECT pg_logical_emit_message(true, 'rollcall', 'duplicates')";
    connection.query_once(write, &[]).await.map(drop)
}

pub(crate) const GIVEN: &str = "WITH given AS (SELECT * FROM unnest(";

macro_rules! what_happened {
    () => {
        "kind, session_id, user_name, realm, occurred_at, complete_through, clock_skewed,
        reason, display_name, client_ip, wan_ip, mac, device, active_seconds, class"
    };
}
pub(crate) use what_happened;

/// SQL that adds the given events with their keys, and one row in `arrivals` for each source.
/// Usage:
/// `record!(on conflict of a key, join that selects the new events)`.
macro_rules! record {
    ($known:literal, $which:literal) => {
        concat!(
            ") AS given (source_id, event_id, digest, ",
            what_happened!(),
            ")
), keys AS (
    INSERT INTO event_ids (source_id, event_id, digest) SELECT source_id, event_id, digest FROM given ",
            $known,
            " RETURNING source_id, event_id
), recorded AS (
    INSERT INTO events (source_id, event_id, ",
            what_happened!(),
            ") SELECT source_id, event_id, ",
            what_happened!(),
            " FROM given ",
            $which,
            "
), noted AS (
    INSERT INTO arrivals (source_id, events, clock_skewed, last_event_at)
    SELECT source_id, count(*), count(*) FILTER (WHERE clock_skewed), max(occurred_at) FROM given ",
            $which,
            " GROUP BY source_id
) "
        )
    };
}

/// Records all events. Fails if a key exists, and then records nothing.
const RECORD_ALL: &str = record!("", "");

/// Records the events whose keys do not exist yet.
const RECORD_NEW: &str = record!(
    "ON CONFLICT (source_id, event_id) DO NOTHING",
    "JOIN keys USING (source_id, event_id)"
);

pub(crate) fn columns<'a>(events: &[&'a Reported]) -> Vec<Column<'a>> {
    let all = || events.iter().copied();
    let evidence = || all().map(|reported| &reported.event.evidence);
    vec![
        column!(INT4_ARRAY, all().map(|reported| reported.source_id)),
        column!(
            TEXT_ARRAY,
            all().map(|reported| reported.event.event_id.as_str())
        ),
        column!(
            BYTEA_ARRAY,
            all().map(|reported| reported.event.digest().to_vec())
        ),
        column!(TEXT_ARRAY, all().map(|reported| kind(&reported.event.fact))),
        column!(
            TEXT_ARRAY,
            all().map(|reported| session(&reported.event.fact).map(|fact| fact.0))
        ),
        column!(
            TEXT_ARRAY,
            all().map(|reported| session(&reported.event.fact).map(|fact| fact.1))
        ),
        column!(
            TEXT_ARRAY,
            all().map(|reported| session(&reported.event.fact).and_then(|fact| fact.2))
        ),
        column!(
            TIMESTAMPTZ_ARRAY,
            all().map(|reported| reported.event.occurred_at)
        ),
        column!(
            TIMESTAMPTZ_ARRAY,
            all().map(|reported| reported.event.complete_through)
        ),
        column!(
            BOOL_ARRAY,
            all().map(|reported| reported.event.clock_skewed)
        ),
        column!(
            TEXT_ARRAY,
            evidence().map(|evidence| evidence.reason.as_deref())
        ),
        column!(
            TEXT_ARRAY,
            evidence().map(|evidence| evidence.display_name.as_deref())
        ),
        column!(
            TEXT_ARRAY,
            evidence().map(|evidence| evidence.client_ip.map(|address| address.to_string()))
        ),
        column!(
            TEXT_ARRAY,
            evidence().map(|evidence| evidence.wan_ip.map(|address| address.to_string()))
        ),
        column!(
            TEXT_ARRAY,
            evidence().map(|evidence| evidence.mac.as_deref())
        ),
        column!(
            TEXT_ARRAY,
            evidence().map(|evidence| evidence.device.as_deref())
        ),
        column!(
            INT8_ARRAY,
            evidence().map(|evidence| evidence.active_seconds)
        ),
        column!(
            TEXT_ARRAY,
            evidence().map(|evidence| evidence.class.as_deref())
        ),
    ]
}

/// Records the new ones among `events`. Returns their keys.
async fn insert(
    connection: &mut Recording,
    events: &[&Reported],
) -> Result<HashSet<(i32, String)>, Error> {
    let which = Part::Sql("SELECT source_id, event_id FROM keys");
    let statement = Statement(vec![
        Part::Sql(GIVEN),
        Part::Columns(columns(events)),
        Part::Sql(RECORD_NEW),
        which,
    ]);
    let rows = connection.query(&statement).await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
}

/// Returns the name that the schema uses in `events.kind`.
fn kind(fact: &Fact) -> &'static str {
    match fact {
        Fact::Session {
            kind: Kind::Login, ..
        } => "login",
        Fact::Session {
            kind: Kind::DerivedLogin,
            ..
        } => "derived_login",
        Fact::Session {
            kind: Kind::Active, ..
        } => "active",
        Fact::Session {
            kind: Kind::Logout, ..
        } => "logout",
        Fact::Restart => "restart",
    }
}

/// Session id, user and realm.
fn session(fact: &Fact) -> Option<(&str, &str, Option<&str>)> {
    match fact {
        Fact::Session {
            session_id,
            user,
            realm,
            ..
        } => Some((session_id, user, realm.as_deref())),
        Fact::Restart => None,
    }
}

const LOOK_UP: &str = "SELECT source_id, event_id, digest,
    EXISTS (SELECT FROM set_aside_events WHERE (set_aside_events.event_id, set_aside_events.source_id) = (keys.event_id, keys.source_id))
FROM event_ids AS keys JOIN unnest(";

async fn look_up(connection: &mut Recording, events: &[&Reported]) -> Result<Known, Error> {
    if events.is_empty() {
        return Ok(HashMap::new());
    }
    let event_ids = events
        .iter()
        .map(|reported| reported.event.event_id.as_str());
    let asked = vec![
        column!(INT4_ARRAY, events.iter().map(|reported| reported.source_id)),
        column!(TEXT_ARRAY, event_ids),
    ];
    let statement = Statement(vec![
        Part::Sql(LOOK_UP),
        Part::Columns(asked),
        Part::Sql(") AS asked (source_id, event_id) USING (source_id, event_id)"),
    ]);
    let rows = connection.query(&statement).await?;
    rows.iter()
        .map(|row| {
            let event = KnownEvent {
                digest: row.try_get(2)?,
                is_set_aside: row.try_get(3)?,
            };
            Ok(((row.try_get(0)?, row.try_get(1)?), event))
        })
        .collect()
}
