//! Recording events: the append-only log, and in the same transaction the sessions merged from it.

use std::collections::{BTreeMap, HashMap, HashSet};

use attendance::event::{Event, Fact, Sign};
use diesel::{
    QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use jiff_diesel::ToDiesel;

use crate::{sessions, sources};

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
pub async fn record(connection: &mut AsyncPgConnection, batch: &[Reported]) -> QueryResult<Vec<Outcome>> {
    connection
        .transaction(async |connection| {
            let mut first: BTreeMap<Key, &Reported> = BTreeMap::new();
            for reported in batch {
                first.entry(key(reported)).or_insert(reported);
            }
            let candidates: Vec<&Reported> = first.into_values().collect();
            let inserted = insert(connection, &candidates).await?;
            let (new, known): (Vec<&Reported>, Vec<&Reported>) = candidates
                .into_iter()
                .partition(|reported| inserted.contains(&(reported.source_id, reported.event.event_id.clone())));
            let mut digests = digests(connection, &known).await?;
            sessions::merge(connection, &new).await?;
            sources::advance(connection, &new).await?;
            if new.is_empty() {
                force_commit_record(connection).await?;
            }
            Ok(batch.iter().map(|reported| outcome(reported, &mut digests)).collect())
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
            digests.insert((reported.source_id, reported.event.event_id.clone()), digest.to_vec());
            Outcome::Accepted
        }
    }
}

/// A transaction that only met duplicates has written nothing, and its commit would wait neither
/// for the disk nor for a standby that may not have the events yet. A logical message is a write.
async fn force_commit_record(connection: &mut AsyncPgConnection) -> QueryResult<()> {
    sql_query("SELECT pg_logical_emit_message(true, 'rollcall', 'duplicates')").execute(connection).await.map(drop)
}

#[derive(QueryableByName)]
struct EventKey {
    #[diesel(sql_type = Integer)]
    source_id: i32,
    #[diesel(sql_type = Text)]
    event_id: String,
}

/// Adds the events whose ids are new, and a note of the arrival for each source; tells which were new.
async fn insert(connection: &mut AsyncPgConnection, events: &[&Reported]) -> QueryResult<HashSet<(i32, String)>> {
    let evidence = |pick: fn(&attendance::event::Evidence) -> Option<String>| -> Vec<Option<String>> {
        events.iter().map(|reported| pick(&reported.event.evidence)).collect()
    };
    let rows: Vec<EventKey> = sql_query(
        "WITH given AS (
             SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) AS given (
                 source_id, event_id, digest, kind, session_id, user_name, realm, occurred_at, complete_through, clock_skewed,
                 reason, display_name, client_ip, wan_ip, mac, device, active_seconds, class)
         ), new AS (
             INSERT INTO event_keys (source_id, event_id, digest) SELECT source_id, event_id, digest FROM given
             ON CONFLICT (source_id, event_id) DO NOTHING
             RETURNING source_id, event_id
         ), recorded AS (
             INSERT INTO events (source_id, event_id, kind, session_id, user_name, realm, occurred_at, complete_through, clock_skewed,
                 reason, display_name, client_ip, wan_ip, mac, device, active_seconds, class)
             SELECT source_id, event_id, kind, session_id, user_name, realm, occurred_at, complete_through, clock_skewed,
                 reason, display_name, client_ip, wan_ip, mac, device, active_seconds, class
             FROM given JOIN new USING (source_id, event_id)
         ), noted AS (
             INSERT INTO arrivals (source_id, events, clock_skewed, last_event_at)
             SELECT source_id, count(*), count(*) FILTER (WHERE clock_skewed), max(occurred_at)
             FROM given JOIN new USING (source_id, event_id) GROUP BY source_id
         )
         SELECT source_id, event_id FROM new",
    )
    .bind::<Array<Integer>, _>(column(events, |reported| reported.source_id))
    .bind::<Array<Text>, _>(column(events, |reported| reported.event.event_id.clone()))
    .bind::<Array<Binary>, _>(column(events, |reported| reported.event.digest().to_vec()))
    .bind::<Array<Text>, _>(column(events, |reported| kind(&reported.event.fact)))
    .bind::<Array<Nullable<Text>>, _>(column(events, |reported| session(&reported.event.fact).map(|fact| fact.0.to_owned())))
    .bind::<Array<Nullable<Text>>, _>(column(events, |reported| session(&reported.event.fact).map(|fact| fact.1.to_owned())))
    .bind::<Array<Nullable<Text>>, _>(column(events, |reported| session(&reported.event.fact).and_then(|fact| fact.2.map(str::to_owned))))
    .bind::<Array<Timestamptz>, _>(column(events, |reported| reported.event.occurred_at.to_diesel()))
    .bind::<Array<Nullable<Timestamptz>>, _>(column(events, |reported| reported.event.complete_through.map(ToDiesel::to_diesel)))
    .bind::<Array<Bool>, _>(column(events, |reported| reported.event.clock_skewed))
    .bind::<Array<Nullable<Text>>, _>(evidence(|evidence| evidence.reason.clone()))
    .bind::<Array<Nullable<Text>>, _>(evidence(|evidence| evidence.display_name.clone()))
    .bind::<Array<Nullable<Text>>, _>(evidence(|evidence| evidence.client_ip.map(|address| address.to_string())))
    .bind::<Array<Nullable<Text>>, _>(evidence(|evidence| evidence.wan_ip.map(|address| address.to_string())))
    .bind::<Array<Nullable<Text>>, _>(evidence(|evidence| evidence.mac.clone()))
    .bind::<Array<Nullable<Text>>, _>(evidence(|evidence| evidence.device.clone()))
    .bind::<Array<Nullable<BigInt>>, _>(column(events, |reported| reported.event.evidence.active_seconds))
    .bind::<Array<Nullable<Text>>, _>(evidence(|evidence| evidence.class.clone()))
    .load(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.source_id, row.event_id)).collect())
}

pub(crate) fn column<T, V>(rows: &[T], pick: impl Fn(&T) -> V) -> Vec<V> {
    rows.iter().map(pick).collect()
}

/// The names that the schema's check on `events.kind` lists.
fn kind(fact: &Fact) -> &'static str {
    match fact {
        Fact::Session { sign: Sign::Login, .. } => "login",
        Fact::Session { sign: Sign::Begun, .. } => "begun",
        Fact::Session { sign: Sign::Active, .. } => "active",
        Fact::Session { sign: Sign::Logout, .. } => "logout",
        Fact::Restart => "restart",
    }
}

/// Session id, user and realm.
fn session(fact: &Fact) -> Option<(&str, &str, Option<&str>)> {
    match fact {
        Fact::Session { session_id, user, realm, .. } => Some((session_id, user, realm.as_deref())),
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
    .bind::<Array<Integer>, _>(column(events, |reported| reported.source_id))
    .bind::<Array<Text>, _>(column(events, |reported| reported.event.event_id.clone()))
    .load(connection)
    .await?;
    Ok(rows.into_iter().map(|row| ((row.key.source_id, row.key.event_id), row.digest)).collect())
}
