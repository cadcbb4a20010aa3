//! Events in any order, in any batches and any number of times give the sessions of the domain's
//! merge, and the display forms of the contract.

use std::collections::BTreeMap;

use diesel::{
    QueryableByName, sql_query,
    sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jiff::Timestamp;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use rollcall_attendance::{
    event::{Event, Fact, Kind, RawEvent},
    session::Session,
};
use rollcall_store::events::{
    Outcome::{self, Accepted, Conflict, Duplicate},
    Receiver, Reported,
};
use rollcall_test_support::{TestDatabase, record, unlimited_arrival};

#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
struct Stored {
    #[diesel(sql_type = Text)]
    session_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    normalized_user: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    normalized_realm: Option<String>,
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
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = (
        0..3_u8,
        0..4_u8,
        0..8_i64,
        0..4_usize,
        prop::option::of(0..3_usize),
    );
    prop::collection::vec(event, 1..14).prop_map(|events| {
        events
            .into_iter()
            .enumerate()
            .map(|(number, (session, kind, second, user, realm))| {
                let unnamed = if matches!(kind, 1 | 2) {
                    None
                } else {
                    Some("Bob")
                };
                let raw = RawEvent {
                    event_id: Some(format!("e{number}")),
                    kind: Some(["login", "active", "logout", "login"][usize::from(kind)].into()),
                    session_id: Some(format!("s{session}")),
                    // A rule may find no user in an activity event or a logout.
                    user: [Some("amy"), Some("AMY"), Some("Bob"), unnamed][user].map(Into::into),
                    input_digest: Some([u8::try_from(number).expect("small"); 32]),
                    realm: realm.map(|realm| ["Sales", "sales", "Default"][realm].into()),
                    // Two seconds of each of four UTC days, so that events tie.
                    occurred_at: Some(format!(
                        "2025-01-0{}T00:00:0{}Z",
                        1 + second / 2,
                        second % 2
                    )),
                    next_in_seconds: number
                        .is_multiple_of(2)
                        .then_some(i64::try_from(number).expect("small")),
                    active_seconds: (second % 3 > 0).then_some(second * 7 % 5),
                    ..RawEvent::default()
                };
                let mut event = Event::parse(raw, &unlimited_arrival()).expect("an event");
                if let (3, Fact::Session { kind, .. }) = (kind, &mut event.fact) {
                    *kind = Kind::DerivedLogin;
                }
                event
            })
            .collect()
    })
}

/// Generates arrivals of `events`: in any order, some of them repeated, in batches of 1 to 5.
fn arrivals(events: Vec<Event>) -> impl Strategy<Value = Vec<Vec<Event>>> {
    let repeated = prop::collection::vec(0..events.len(), 0..6);
    (Just(events), repeated, 1..6_usize)
        .prop_flat_map(|(mut events, repeated, size)| {
            let again: Vec<Event> = repeated
                .into_iter()
                .map(|index| events[index].clone())
                .collect();
            events.extend(again);
            (Just(events).prop_shuffle(), Just(size))
        })
        .prop_map(|(events, size)| events.chunks(size).map(<[Event]>::to_vec).collect())
}

fn expected(events: &[Event]) -> Vec<Stored> {
    let mut sessions: BTreeMap<&str, Session> = BTreeMap::new();
    for event in events {
        let id = event.session_id().expect("a session ID");
        let session = Session::of(event).expect("an event of a session");
        let merged = match sessions.remove(id) {
            Some(known) => known.merge(session),
            None => session,
        };
        sessions.insert(id, merged);
    }
    let stored = |(id, session): (&str, Session)| Stored {
        session_id: id.into(),
        normalized_user: session
            .owner
            .as_ref()
            .map(|owner| owner.person.user.clone()),
        normalized_realm: session.owner.map(|owner| owner.person.realm),
        login_at: session.login.map(|login| login.at),
        login_derived: session.login.is_some_and(|login| login.derived),
        logout_at: session.logout_at,
        last_activity_at: session.last_activity_at,
        next_due_at: session.next_due_at,
        first_event_at: session.first_event_at,
        active_seconds: session.active_seconds,
    };
    sessions.into_iter().map(stored).collect()
}

/// Returns the display form of each person, by the contract and independently of the merge: of all
/// reported forms the greatest by (UTC date, user, realm).
fn expected_forms(events: &[Event]) -> Vec<String> {
    let mut forms: BTreeMap<(String, String), (String, &str, &str)> = BTreeMap::new();
    for event in events {
        let Some((user, realm)) = event.names() else {
            continue;
        };
        let realm = realm.unwrap_or("Default");
        let date = event.occurred_at.to_string()[..10].to_owned();
        let form = (date, user, realm);
        let greatest = forms
            .entry((user.to_lowercase(), realm.to_lowercase()))
            .or_insert_with(|| form.clone());
        *greatest = form.max(greatest.clone());
    }
    let shown = |(date, user, realm): (String, &str, &str)| format!("{date} {user} {realm}");
    forms.into_values().map(shown).collect()
}

async fn stored_forms(database: &TestDatabase) -> Vec<String> {
    let all = "SELECT reported_on || ' ' || display_user || ' ' || display_realm AS text
        FROM persons ORDER BY normalized_user, normalized_realm";
    database.texts(all).await
}

async fn source(connection: &mut AsyncPgConnection, name: &str) -> i32 {
    #[derive(QueryableByName)]
    struct Id {
        #[diesel(sql_type = Integer)]
        id: i32,
    }
    let added =
        sql_query("INSERT INTO sources (name, key_hash) VALUES ($1, $1::bytea) RETURNING id")
            .bind::<Text, _>(name);
    added
        .get_result::<Id>(connection)
        .await
        .expect("a source")
        .id
}

async fn stored(connection: &mut AsyncPgConnection, source_id: i32) -> Vec<Stored> {
    let all = sql_query(
        "SELECT * FROM sessions LEFT JOIN persons ON persons.id = person_id
         WHERE source_id = $1 ORDER BY session_id",
    )
    .bind::<Integer, _>(source_id);
    all.load(connection).await.expect("sessions")
}

fn report(source_id: i32, events: &[Event]) -> Vec<Reported> {
    events
        .iter()
        .map(|event| Reported {
            source_id,
            event: event.clone(),
            receiver: Receiver::Http,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn merge_gives_the_same_sessions_for_any_order_and_repetition() {
    let database = TestDatabase::new().await;
    let mut owner = database.connect("rollcall").await;
    let mut ingestion = database.connect("ingestion").await;
    let mut runner = TestRunner::default();
    for case in 0..60 {
        let events = events().new_tree(&mut runner).expect("events").current();
        let (expected, expected_forms) = (expected(&events), expected_forms(&events));
        for arrival in 0..3 {
            let batches = arrivals(events.clone())
                .new_tree(&mut runner)
                .expect("arrivals")
                .current();
            let source_id = source(&mut owner, &format!("{case}-{arrival}")).await;
            // Two writers know different persons, as two replicas do.
            TestDatabase::execute(
                &database,
                "TRUNCATE persons, sessions RESTART IDENTITY CASCADE",
            )
            .await;
            let mut writers = [database.writer(), database.writer()];
            let mut accepted = 0;
            for (number, batch) in batches.iter().enumerate() {
                let outcomes = record(&mut writers[number % 2], &report(source_id, batch))
                    .await
                    .expect("recorded");
                accepted += outcomes
                    .iter()
                    .filter(|outcome| **outcome == Outcome::Accepted)
                    .count();
                assert!(!outcomes.contains(&Outcome::Conflict));
            }
            assert_eq!(accepted, events.len(), "each event is accepted once");
            assert_eq!(
                stored(&mut ingestion, source_id).await,
                expected,
                "{batches:#?}"
            );
            assert_eq!(
                stored_forms(&database).await,
                expected_forms,
                "{batches:#?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn event_with_a_known_id_and_other_content_is_a_conflict() {
    let database = TestDatabase::new().await;
    let source_id = source(&mut database.connect("rollcall").await, "gateway").await;
    let mut connection = database.connect("ingestion").await;
    let mut writer = database.writer();
    let event = |user: &str| {
        let raw = RawEvent {
            event_id: Some("e".into()),
            kind: Some("login".into()),
            session_id: Some("s".into()),
            user: Some(user.into()),
            occurred_at: Some("2025-01-01T00:00:00Z".into()),
            ..RawEvent::default()
        };
        Event::parse(raw, &unlimited_arrival()).expect("an event")
    };
    let batch = report(source_id, &[event("a"), event("b"), event("a")]);
    assert_eq!(
        record(&mut writer, &batch).await,
        Ok(vec![Accepted, Conflict, Duplicate])
    );
    assert_eq!(
        record(&mut writer, &batch).await,
        Ok(vec![Duplicate, Conflict, Duplicate])
    );
    assert_eq!(
        stored(&mut connection, source_id).await[0]
            .normalized_user
            .as_deref(),
        Some("a")
    );
    let persons = database.texts("SELECT display_user AS text FROM persons");
    assert_eq!(persons.await, ["a"], "a conflict adds no person");
}

#[tokio::test(flavor = "multi_thread")]
async fn event_from_many_connections_at_once_is_accepted_once() {
    let database = TestDatabase::new().await;
    let source_id = source(&mut database.connect("rollcall").await, "gateway").await;
    let events = events()
        .new_tree(&mut TestRunner::default())
        .expect("events")
        .current();
    let batch = report(source_id, &events);
    let callers = (0..16).map(|number| {
        let (database, mut batch) = (&database, batch.clone());
        async move {
            if number % 2 == 0 {
                batch.reverse();
            }
            record(&mut database.writer(), &batch)
                .await
                .expect("recorded")
        }
    });
    let outcomes = futures::future::join_all(callers).await.concat();
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| **outcome == Outcome::Accepted)
            .count(),
        events.len()
    );
    assert_eq!(
        stored(&mut database.connect("ingestion").await, source_id).await,
        expected(&events)
    );
}
