//! Events with a correlation key in any order, in any batches, of several writers at the same time,
//! give the sessions that the domain computes from all of them.

use diesel::{
    QueryableByName, sql_query,
    sql_types::{BigInt, Bool, Nullable, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;
use jiff::{SignedDuration, Timestamp};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use rollcall_attendance::{
    correlation::{Correlated, Group, sessions},
    event::{Event, RawEvent},
    session::Session,
};
use rollcall_store::{
    events::{Receiver, Reported},
    recording::Writer,
};
use rollcall_test_support::{TestDatabase, record, unlimited_arrival};

/// The timeout of the test writers. Events lie hours apart, so that it matters.
const TIMEOUT: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, QueryableByName)]
struct Stored {
    #[diesel(sql_type = Text)]
    session_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    person: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = jiff_diesel::NullableTimestamp)]
    login_at: Option<Timestamp>,
    #[diesel(sql_type = Bool)]
    login_derived: bool,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = jiff_diesel::NullableTimestamp)]
    logout_at: Option<Timestamp>,
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    last_activity_at: Timestamp,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = jiff_diesel::NullableTimestamp)]
    next_due_at: Option<Timestamp>,
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    first_event_at: Timestamp,
    #[diesel(sql_type = Nullable<BigInt>)]
    active_seconds: Option<i64>,
    /// The events that are assigned to the session.
    #[diesel(sql_type = Text)]
    event_ids: String,
}

fn event(key: &str, number: usize, kind: &str, hour: i64, user: Option<&str>) -> Event {
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour);
    let raw = RawEvent {
        event_id: Some(format!("{key}{number:02}")),
        kind: Some(kind.into()),
        correlation_key: Some(key.into()),
        user: user.map(Into::into),
        occurred_at: Some(at.to_string()),
        // Only a logout takes the duration into account.
        duration_seconds: number.is_multiple_of(3).then_some(7200),
        next_in_seconds: number
            .is_multiple_of(2)
            .then_some(600 * i64::try_from(number).expect("small")),
        active_seconds: (number % 4 > 1).then_some(hour * 7 % 5),
        ..RawEvent::default()
    };
    let mut events = Event::parse_all(raw, &unlimited_arrival()).expect("an event");
    events.remove(0)
}

/// Events of two keys. Many have the same time, and some are separated by more than the timeout.
fn events() -> impl Strategy<Value = Vec<Event>> {
    let kinds = prop::sample::select(vec!["login", "active", "logout"]);
    // Only a login must name the user.
    let users = prop::sample::select(vec![None, Some("amy"), Some("bob")]);
    let line = (prop::sample::select(vec!["k", "l"]), kinds, 0..9_i64, users);
    prop::collection::vec(line, 1..14).prop_map(|lines| {
        let lines = lines.into_iter().enumerate();
        lines
            .map(|(number, (key, kind, time, user))| {
                let user = user.or((kind == "login").then_some("amy"));
                event(key, number, kind, time * 8, user)
            })
            .collect()
    })
}

/// Returns the events in some order, some of them twice, in batches of some size.
fn arrivals(events: Vec<Event>) -> impl Strategy<Value = Vec<Vec<Event>>> {
    let repeated = prop::collection::vec(prop::sample::select(events.clone()), 0..4);
    let all = (Just(events), repeated).prop_map(|(events, repeated)| [events, repeated].concat());
    (all.prop_shuffle(), 1..6_usize)
        .prop_map(|(events, size)| events.chunks(size).map(<[Event]>::to_vec).collect())
}

fn expected(events: &[Event]) -> Vec<Stored> {
    let of_key = |key: &str| {
        let events = events
            .iter()
            .filter(|event| event.correlation_key() == Some(key));
        let correlated = events.map(|event| Correlated {
            event_id: event.event_id.clone(),
            part: Session::of(event).expect("an event of a session"),
        });
        sessions(key, None, correlated.collect(), TIMEOUT)
    };
    let mut stored: Vec<_> = ["k", "l"]
        .into_iter()
        .flat_map(of_key)
        .map(stored)
        .collect();
    stored.sort();
    stored
}

fn stored(group: Group) -> Stored {
    let Group {
        session_id,
        session,
        mut event_ids,
    } = group;
    event_ids.sort();
    Stored {
        session_id,
        person: session.owner.map(|owner| owner.person.user),
        login_at: session.login.map(|login| login.at),
        login_derived: session.login.is_some_and(|login| login.derived),
        logout_at: session.logout_at,
        last_activity_at: session.last_activity_at,
        next_due_at: session.next_due_at,
        first_event_at: session.first_event_at,
        active_seconds: session.active_seconds,
        event_ids: event_ids.join(" "),
    }
}

async fn sessions_of(database: &TestDatabase, source_id: i32) -> Vec<Stored> {
    let all = format!(
        "SELECT sessions.session_id, normalized_user AS person, login_at, login_derived, logout_at,
            last_activity_at, next_due_at, first_event_at, active_seconds, (
                SELECT coalesce(string_agg(event_id, ' ' ORDER BY event_id COLLATE \"C\"), '')
                FROM correlated_events AS event
                WHERE (event.source_id, event.correlation_key, event.session_id)
                    = (sessions.source_id, sessions.correlation_key, sessions.session_id)
            ) AS event_ids
        FROM sessions LEFT JOIN persons ON persons.id = person_id WHERE source_id = {source_id}"
    );
    let mut connection = database.connect("rollcall").await;
    let mut stored: Vec<Stored> = sql_query(all).load(&mut connection).await.expect("rows");
    stored.sort();
    stored
}

async fn record_all(writer: &mut Writer, source_id: i32, batches: &[Vec<Event>]) {
    for batch in batches {
        let batch: Vec<_> = batch
            .iter()
            .map(|event| Reported {
                source_id,
                event: event.clone(),
                receiver: Receiver::Syslog,
            })
            .collect();
        record(writer, &batch).await.expect("recorded");
    }
}

/// Checks random histories, each with a source of its own. `writers` record at the same time.
async fn check(cases: i32, writers: usize) {
    let database = TestDatabase::new().await;
    let mut writers: Vec<_> = (0..writers).map(|_| database.writer()).collect();
    let mut runner = TestRunner::deterministic();
    for source_id in 1..=cases {
        let history = events().prop_flat_map(|events| (Just(events.clone()), arrivals(events)));
        let (events, batches) = history.new_tree(&mut runner).expect("a history").current();
        let parts = batches.chunks(batches.len().div_ceil(writers.len()));
        let recorded = writers
            .iter_mut()
            .zip(parts)
            .map(|(writer, part)| record_all(writer, source_id, part));
        futures::future::join_all(recorded).await;
        let found = sessions_of(&database, source_id).await;
        assert_eq!(found, expected(&events), "{batches:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn order_batches_and_retransmissions_do_not_change_sessions() {
    check(150, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_writers_give_the_same_sessions() {
    check(60, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logout_recorded_before_its_login_belongs_to_the_same_session() {
    let database = TestDatabase::new().await;
    let [login, logout] = [
        event("k", 1, "login", 8, Some("amy")),
        event("k", 2, "logout", 17, None),
    ];
    record_all(&mut database.writer(), 1, &[vec![logout], vec![login]]).await;
    let sessions = sessions_of(&database, 1).await;
    let [session] = &sessions[..] else {
        panic!("one session: {sessions:?}")
    };
    assert_eq!(session.event_ids, "k01 k02");
    assert!(session.login_at < session.logout_at);
}
