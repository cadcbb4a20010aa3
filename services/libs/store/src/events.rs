//! Recording of events: the append-only log and, in the same transaction, the sessions merged from
//! it.

mod imported;
mod of_session;
mod receiver;

use std::collections::{BTreeMap, HashMap};

use rollcall_attendance::{
    event::{Event, Fact, Kind},
    name_rules::NameRules,
};
use tokio_postgres::{Error, error::SqlState};

use crate::{
    correlation, imports,
    persons::{PersonIds, Search},
    recording::{Parameters, Recording, array},
    sessions, sources,
};

pub use imported::preview;
use imported::{brought, claim};
pub use of_session::{EventOfSession, of_session};
pub use receiver::Receiver;

const RECORD: &str = include_str!("events/record.sql");
const LOOK_UP: &str = include_str!("events/look_up.sql");

/// An event and the source whose credentials brought it.
#[derive(Debug, Clone)]
pub struct Reported {
    /// ID of the source.
    pub source_id: i32,
    /// Event of the source.
    pub event: Event,
    /// The receiver that brought the event.
    pub receiver: Receiver,
}

impl Reported {
    /// Returns an event of a source, with the names that the name rules of the source give.
    #[must_use]
    pub fn new(
        source_id: i32,
        mut event: Event,
        name_rules: &NameRules,
        receiver: Receiver,
    ) -> Self {
        name_rules.apply(&mut event);
        Self {
            source_id,
            event,
            receiver,
        }
    }
}

/// Outcome of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The event is new and was recorded.
    Accepted,
    /// The event is recorded already.
    Duplicate,
    /// A different event with this event ID is recorded.
    Conflict,
    /// The database refused the event for an unknown reason. The event is kept, and the operator
    /// can replay it.
    SetAside,
}

/// Records a batch in one transaction and returns the outcome of each event, in order.
///
/// Rows are locked in the order of their keys: events, persons, correlation keys, sessions,
/// sources. So batches that overlap do not deadlock.
///
/// # Errors
/// The database fails. Nothing of the batch is recorded then.
#[tracing::instrument(name = "database.events.record", skip_all)]
pub async fn record(connection: &mut Recording, batch: &[Reported]) -> Result<Vec<Outcome>, Error> {
    record_from(connection, batch, None).await
}

/// Records a batch of an import, or of a receiver if `import` is `None`. See [`record`].
pub(crate) async fn record_from(
    connection: &mut Recording,
    batch: &[Reported],
    import: Option<i32>,
) -> Result<Vec<Outcome>, Error> {
    let mut new = distinct(batch);
    let mut known = KnownEvents::new();
    loop {
        let events: Vec<&Reported> = new.values().copied().collect();
        let note = import.map(|import| imports::record(import, &brought(batch, &known)));
        match insert(connection, &events, note).await {
            Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
                // Some events are known already. Record the others.
                let mut found = look_up(connection, &events).await?;
                if import.is_none() {
                    claim(connection, &new, &mut found).await?;
                }
                known.extend(found);
                new.retain(|key, _| !known.contains_key(key));
            }
            Err(error) if error.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION) => {
                // Undoing another import has withdrawn a known event. Begin again.
                known.clear();
                new = distinct(batch);
            }
            inserted => {
                inserted?;
                break;
            }
        }
    }
    if new.len() == batch.len() {
        return Ok(vec![Outcome::Accepted; batch.len()]);
    }
    Ok(batch
        .iter()
        .map(|reported| outcome(reported, &mut known))
        .collect())
}

/// Key of an event: ID of its source and event ID.
pub(crate) type EventKey<'a> = (i32, &'a str);

/// Events that are thought to be new, by their keys.
type NewEvents<'a> = BTreeMap<EventKey<'a>, &'a Reported>;

fn distinct(batch: &[Reported]) -> NewEvents<'_> {
    let mut distinct = BTreeMap::new();
    for reported in batch {
        distinct.entry(key(reported)).or_insert(reported);
    }
    distinct
}

pub(crate) fn key(reported: &Reported) -> EventKey<'_> {
    (reported.source_id, &reported.event.event_id)
}

/// Events that are recorded, by their keys.
type KnownEvents<'a> = HashMap<EventKey<'a>, KnownEvent>;

struct KnownEvent {
    digest: Vec<u8>,
    is_set_aside: bool,
    /// Undoing an import could withdraw the event.
    is_withdrawable: bool,
}

/// Returns the outcome of an event. `known` has the events recorded before this batch. An event
/// without an entry was just recorded, and is added so that later events of the batch are compared
/// with it.
fn outcome<'a>(reported: &'a Reported, known: &mut KnownEvents<'a>) -> Outcome {
    let digest = reported.event.digest();
    match known.get(&key(reported)) {
        Some(event) if event.digest.as_slice() != digest => Outcome::Conflict,
        Some(event) if event.is_set_aside => Outcome::SetAside,
        Some(_) => Outcome::Duplicate,
        None => {
            let recorded = KnownEvent {
                digest: digest.to_vec(),
                is_set_aside: false,
                is_withdrawable: false,
            };
            known.insert(key(reported), recorded);
            Outcome::Accepted
        }
    }
}

/// Records events, of which none may be known. `note` is executed in the same transaction.
async fn insert(
    connection: &mut Recording,
    events: &[&Reported],
    note: Option<(&'static str, Parameters<'_>)>,
) -> Result<(), Error> {
    if events.is_empty() {
        return match note {
            Some(note) => connection.commit(vec![note]).await,
            None => force_commit_record(connection).await,
        };
    }
    let mut search = Search::begin(connection, events).await?;
    if let Some(ids) = search.ids()
        && !correlation::is_needed(events)
    {
        let mut statements = vec![(RECORD, parameters(events))];
        statements.extend(note);
        statements.extend(consequences(events, ids));
        return connection.commit(statements).await;
    }
    connection
        .transaction(async |connection| {
            connection.query(RECORD, parameters(events)).await?;
            if let Some((statement, parameters)) = note {
                connection.query(statement, parameters).await?;
            }
            apply(connection, events, &mut search).await
        })
        .await?;
    search.keep(&connection.known_persons);
    Ok(())
}

/// Returns the statements that bring sessions and sources up to date with recorded events.
fn consequences<'a>(
    events: &[&'a Reported],
    ids: &PersonIds,
) -> impl Iterator<Item = (&'static str, Parameters<'a>)> {
    let merged = sessions::merge(events, ids);
    merged.into_iter().chain(sources::advance(events))
}

/// Brings persons, sessions and sources up to date with events that the same transaction recorded
/// before. So an event that is known already changes no display form.
pub(crate) async fn apply(
    connection: &mut Recording,
    events: &[&Reported],
    search: &mut Search,
) -> Result<(), Error> {
    let ids = search.write(connection).await?;
    correlation::add(connection, events, ids).await?;
    for (statement, parameters) in consequences(events, ids) {
        connection.query(statement, parameters).await?;
    }
    Ok(())
}

/// Writes a logical message. A transaction that found only duplicates has written nothing, so its
/// commit would not wait for the disk or for a standby, although the events may not be there yet.
async fn force_commit_record(connection: &Recording) -> Result<(), Error> {
    let write = "SELECT pg_logical_emit_message(true, 'rollcall', 'duplicates')";
    connection.query_once(write, &[]).await.map(drop)
}

/// Returns the columns of `record.sql`.
pub(crate) fn parameters<'a>(events: &[&'a Reported]) -> Parameters<'a> {
    let all = || events.iter().copied();
    let event = || all().map(|reported| &reported.event);
    let names = || event().map(Event::names);
    let evidence = || event().map(|event| &event.evidence);
    let reported_names = || event().map(|event| event.reported_names.as_ref());
    vec![
        array(all().map(|reported| reported.source_id)),
        array(event().map(|event| event.event_id.as_str())),
        array(event().map(|event| event.digest().to_vec())),
        array(event().map(|event| kind(&event.fact))),
        array(event().map(Event::session_id)),
        array(names().map(|names| names.map(|(user, _)| user))),
        array(names().map(|names| names.and_then(|(_, realm)| realm))),
        array(event().map(|event| event.occurred_at)),
        array(event().map(|event| event.complete_through)),
        array(event().map(|event| event.clock_skewed)),
        array(evidence().map(|evidence| evidence.reason.as_deref())),
        array(evidence().map(|evidence| evidence.display_name.as_deref())),
        array(evidence().map(|evidence| evidence.client_ip.map(|address| address.to_string()))),
        array(evidence().map(|evidence| evidence.wan_ip.map(|address| address.to_string()))),
        array(evidence().map(|evidence| evidence.mac.as_deref())),
        array(evidence().map(|evidence| evidence.device.as_deref())),
        array(evidence().map(|evidence| evidence.active_seconds)),
        array(evidence().map(|evidence| evidence.duration_seconds)),
        array(evidence().map(|evidence| evidence.next_in_seconds)),
        array(evidence().map(|evidence| evidence.class.as_deref())),
        array(event().map(Event::correlation_key)),
        array(evidence().map(|evidence| evidence.last_activity_at)),
        array(reported_names().map(|names| Some(names?.user.as_str()))),
        array(reported_names().map(|names| names?.realm.as_deref())),
        array(all().map(|reported| reported.receiver.as_str())),
    ]
}

/// Returns the name that the schema uses in `events.kind`.
fn kind(fact: &Fact) -> &'static str {
    match fact {
        Fact::Restart => "restart",
        Fact::Session { kind, .. } => match kind {
            Kind::Login => "login",
            Kind::DerivedLogin => "derived_login",
            Kind::Active => "active",
            Kind::Logout => "logout",
        },
    }
}

async fn look_up<'a>(
    connection: &mut Recording,
    events: &[&'a Reported],
) -> Result<KnownEvents<'a>, Error> {
    let parameters = vec![
        array(events.iter().map(|reported| reported.source_id)),
        array(
            events
                .iter()
                .map(|reported| reported.event.event_id.as_str()),
        ),
    ];
    let mut known = KnownEvents::new();
    for row in connection.query(LOOK_UP, parameters).await? {
        let event = KnownEvent {
            digest: row.try_get("digest")?,
            is_set_aside: row.try_get("is_set_aside")?,
            is_withdrawable: row.try_get("is_withdrawable")?,
        };
        let position: i64 = row.try_get("position")?;
        let index = usize::try_from(position - 1).unwrap_or(usize::MAX);
        if let Some(reported) = events.get(index) {
            known.insert(key(reported), event);
        }
    }
    Ok(known)
}
