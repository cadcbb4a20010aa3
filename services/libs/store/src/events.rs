//! Recording events: the append-only log, and in the same transaction the sessions merged from it.

use std::collections::{BTreeMap, HashMap, HashSet};

use diesel::{
    QueryableByName,
    result::{DatabaseErrorKind, Error as DieselError, QueryResult},
    sql_query,
    sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use jiff_diesel::ToDiesel;
use rollcall_attendance::event::{Event, Fact, Sign};

use crate::{
    sessions, sources,
    statement::{Column, Part, Statement, column},
};

/// An event and the source whose credentials brought it.
#[derive(Debug, Clone)]
pub struct Reported {
    /// The source.
    pub source_id: i32,
    /// Its event.
    pub event: Event,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is new and recorded.
    Accepted,
    /// The same event is recorded already.
    Duplicate,
    /// Another event of the same id is recorded.
    Conflict,
}

type Key<'a> = (i32, &'a str);

/// Records a batch in one transaction and tells the outcome of each event, in order.
///
/// Rows are locked in the order of their keys, events before sessions before sources, so that
/// batches that overlap do not deadlock.
///
/// # Errors
/// The database fails; then nothing of the batch is recorded.
pub async fn record(
    connection: &mut AsyncPgConnection,
    batch: &[Reported],
) -> QueryResult<Vec<Outcome>> {
    let mut first: BTreeMap<Key, &Reported> = BTreeMap::new();
    for reported in batch {
        first.entry(key(reported)).or_insert(reported);
    }
    let candidates: Vec<&Reported> = first.into_values().collect();
    let at_once = record_at_once(connection, &candidates).await?;
    if at_once && candidates.len() == batch.len() {
        return Ok(vec![Outcome::Accepted; batch.len()]);
    }
    let mut digests = if at_once {
        HashMap::new()
    } else {
        record_in_steps(connection, candidates).await?
    };
    Ok(batch
        .iter()
        .map(|reported| outcome(reported, &mut digests))
        .collect())
}

/// What nearly every batch needs: one statement for events that are all new and concern sessions alone. False, and nothing
/// is recorded, when they are not.
async fn record_at_once(
    connection: &mut AsyncPgConnection,
    events: &[&Reported],
) -> QueryResult<bool> {
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
    match Statement(parts).execute(connection).await {
        Ok(_) => Ok(true),
        Err(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The same with a look at what is known already; tells the digests under which that is recorded.
async fn record_in_steps(
    connection: &mut AsyncPgConnection,
    events: Vec<&Reported>,
) -> QueryResult<HashMap<(i32, String), Vec<u8>>> {
    connection
        .transaction(async |connection| {
            let inserted = insert(connection, &events).await?;
            let (new, known): (Vec<&Reported>, Vec<&Reported>) =
                events.into_iter().partition(|reported| {
                    inserted.contains(&(reported.source_id, reported.event.event_id.clone()))
                });
            let digests = digests(connection, &known).await?;
            sessions::merge(connection, &new).await?;
            sources::advance(connection, &new).await?;
            if new.is_empty() {
                force_commit_record(connection).await?;
            }
            Ok(digests)
        })
        .await
}

fn key(reported: &Reported) -> Key<'_> {
    (reported.source_id, &reported.event.event_id)
}

/// `digests` holds what was known before; the first event of a key that is not there is the one
/// that was just recorded, and is known to those after it.
fn outcome(reported: &Reported, digests: &mut HashMap<(i32, String), Vec<u8>>) -> Outcome {
    let digest = reported.event.digest();
    match digests.get(&(reported.source_id, reported.event.event_id.clone())) {
        Some(known) if known.as_slice() == digest => Outcome::Duplicate,
        Some(_) => Outcome::Conflict,
        None => {
            digests.insert(
                (reported.source_id, reported.event.event_id.clone()),
                digest.to_vec(),
            );
            Outcome::Accepted
        }
    }
}

/// A transaction that only met duplicates has written nothing, and its commit would wait neither
/// for the disk nor for a standby that may not have the events yet. A logical message is a write.
async fn force_commit_record(connection: &mut AsyncPgConnection) -> QueryResult<()> {
    sql_query("SELECT pg_logical_emit_message(true, 'rollcall', 'duplicates')")
        .execute(connection)
        .await
        .map(drop)
}

#[derive(QueryableByName)]
struct EventKey {
    #[diesel(sql_type = Integer)]
    source_id: i32,
    #[diesel(sql_type = Text)]
    event_id: String,
}

const GIVEN: &str = "WITH given AS (SELECT * FROM unnest(";

macro_rules! what_happened {
    () => {
        "kind, session_id, user_name, realm, occurred_at, complete_through, clock_skewed,
        reason, display_name, client_ip, wan_ip, mac, device, active_seconds, class"
    };
}

/// Adds the given events and their keys, and a note of the arrival for each source: `record!(where a key is known, which to take)`.
macro_rules! record {
    ($known:literal, $which:literal) => {
        concat!(
            ") AS given (source_id, event_id, digest, ",
            what_happened!(),
            ")
), keys AS (
    INSERT INTO event_keys (source_id, event_id, digest) SELECT source_id, event_id, digest FROM given ",
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

/// Breaks off where a key is known: then nothing of it has happened.
const RECORD_ALL: &str = record!("", "");

/// Passes over the events whose keys are known.
const RECORD_NEW: &str = record!(
    "ON CONFLICT (source_id, event_id) DO NOTHING",
    "JOIN keys USING (source_id, event_id)"
);

fn columns<'a>(events: &[&'a Reported]) -> Vec<Column<'a>> {
    let all = || events.iter().copied();
    let evidence = || all().map(|reported| &reported.event.evidence);
    vec![
        column!(Integer, all().map(|reported| reported.source_id)),
        column!(Text, all().map(|reported| reported.event.event_id.as_str())),
        column!(
            Binary,
            all().map(|reported| reported.event.digest().to_vec())
        ),
        column!(Text, all().map(|reported| kind(&reported.event.fact))),
        column!(
            Nullable<Text>,
            all().map(|reported| session(&reported.event.fact).map(|fact| fact.0))
        ),
        column!(
            Nullable<Text>,
            all().map(|reported| session(&reported.event.fact).map(|fact| fact.1))
        ),
        column!(
            Nullable<Text>,
            all().map(|reported| session(&reported.event.fact).and_then(|fact| fact.2))
        ),
        column!(
            Timestamptz,
            all().map(|reported| reported.event.occurred_at.to_diesel())
        ),
        column!(
            Nullable<Timestamptz>,
            all().map(|reported| reported.event.complete_through.map(ToDiesel::to_diesel))
        ),
        column!(Bool, all().map(|reported| reported.event.clock_skewed)),
        column!(
            Nullable<Text>,
            evidence().map(|evidence| evidence.reason.as_deref())
        ),
        column!(
            Nullable<Text>,
            evidence().map(|evidence| evidence.display_name.as_deref())
        ),
        column!(
            Nullable<Text>,
            evidence().map(|evidence| evidence.client_ip.map(|address| address.to_string()))
        ),
        column!(
            Nullable<Text>,
            evidence().map(|evidence| evidence.wan_ip.map(|address| address.to_string()))
        ),
        column!(
            Nullable<Text>,
            evidence().map(|evidence| evidence.mac.as_deref())
        ),
        column!(
            Nullable<Text>,
            evidence().map(|evidence| evidence.device.as_deref())
        ),
        column!(
            Nullable<BigInt>,
            evidence().map(|evidence| evidence.active_seconds)
        ),
        column!(
            Nullable<Text>,
            evidence().map(|evidence| evidence.class.as_deref())
        ),
    ]
}

/// Tells which were new.
async fn insert(
    connection: &mut AsyncPgConnection,
    events: &[&Reported],
) -> QueryResult<HashSet<(i32, String)>> {
    let which = Part::Sql("SELECT source_id, event_id FROM keys");
    let statement = Statement(vec![
        Part::Sql(GIVEN),
        Part::Columns(columns(events)),
        Part::Sql(RECORD_NEW),
        which,
    ]);
    let rows: Vec<EventKey> = statement.load(connection).await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.source_id, row.event_id))
        .collect())
}

/// The names that the schema's check on `events.kind` lists.
fn kind(fact: &Fact) -> &'static str {
    match fact {
        Fact::Session {
            sign: Sign::Login, ..
        } => "login",
        Fact::Session {
            sign: Sign::Begun, ..
        } => "begun",
        Fact::Session {
            sign: Sign::Active, ..
        } => "active",
        Fact::Session {
            sign: Sign::Logout, ..
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

/// The digests under which these events are recorded.
async fn digests(
    connection: &mut AsyncPgConnection,
    events: &[&Reported],
) -> QueryResult<HashMap<(i32, String), Vec<u8>>> {
    #[derive(QueryableByName)]
    struct Known {
        #[diesel(embed)]
        key: EventKey,
        #[diesel(sql_type = Binary)]
        digest: Vec<u8>,
    }
    if events.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Known> = sql_query(
        "SELECT source_id, event_id, digest FROM event_keys JOIN unnest($1, $2) AS asked (source_id, event_id) USING (source_id, event_id)",
    )
    .bind::<Array<Integer>, _>(events.iter().map(|reported| reported.source_id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(events.iter().map(|reported| reported.event.event_id.as_str()).collect::<Vec<_>>())
    .load(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| ((row.key.source_id, row.key.event_id), row.digest))
        .collect())
}
