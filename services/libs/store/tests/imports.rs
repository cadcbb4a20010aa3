//! Undoing an import gives the sessions that the remaining imports and receivers alone would give.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use rollcall_attendance::event::{Arrival, Event, Fact, Kind, RawEvent};
use rollcall_store::{
    Pool,
    batch::{self, Recorded},
    events::{Outcome, Receiver, Reported},
    failure::Failure,
    imports,
    recording::Writer,
};
use rollcall_test_support::{TestDatabase, record, unlimited_arrival};

/// Number of different events.
const EVENTS: usize = 12;

/// Returns event `number`. Events of three kinds and a derived login are divided among four
/// sessions, and some name a realm.
fn event(source_id: i32, number: usize) -> Reported {
    let arrival = Arrival {
        skew: SignedDuration::from_hours(1),
        ..unlimited_arrival()
    };
    let kind = ["login", "logout", "active", "login"][number / 3 % 4];
    let raw = RawEvent {
        event_id: Some(format!("e{number}")),
        kind: Some(kind.into()),
        session_id: Some(format!("s{}", number % 4)),
        user: Some(["amy", "Bob"][number / 2 % 2].into()),
        realm: number.is_multiple_of(3).then(|| "Sales".into()),
        occurred_at: Some(format!("2025-01-01T00:{:02}:00Z", number * 7 % 10)),
        ..RawEvent::default()
    };
    let mut event = Event::parse(raw, &arrival).expect("an event");
    if let (3, Fact::Session { kind, .. }) = (number / 3 % 4, &mut event.fact) {
        *kind = Kind::DerivedLogin;
    }
    Reported {
        source_id,
        event,
        receiver: Receiver::Import,
    }
}

fn events(source_id: i32, numbers: &BTreeSet<usize>) -> Vec<Reported> {
    numbers
        .iter()
        .map(|number| event(source_id, *number))
        .collect()
}

/// A database with sources and writers of two roles.
struct Store {
    database: TestDatabase,
    ingestion: Writer,
    operator: Writer,
}

impl Store {
    async fn new(sources: usize) -> Self {
        let database = TestDatabase::new().await;
        let add = format!(
            "INSERT INTO sources (name, key_hash)
             SELECT number, number::text::bytea FROM generate_series(1, {sources}) AS number"
        );
        database.execute(&add).await;
        Self {
            ingestion: database.writer(),
            operator: operator(&database),
            database,
        }
    }

    /// Imports events and returns the ID of the import.
    async fn import(&mut self, batch: &[Reported]) -> i32 {
        import(&self.database, &mut self.ingestion, batch).await
    }

    async fn undo(&mut self, id: i32) -> Result<(), Failure> {
        undo(&mut self.operator, id).await
    }

    async fn receive(&mut self, batch: &[Reported]) -> Vec<Outcome> {
        record(&mut self.ingestion, batch).await.expect("recorded")
    }

    /// Returns the sessions of a source, and then its numbers of events, of event IDs and of events
    /// in the statistics.
    async fn content(&self, source_id: i32) -> Vec<String> {
        let sessions = format!(
            "SELECT concat_ws(' ', session_id, person_id, names_realm, named_at, login_at,
                 login_derived, logout_at, last_activity_at) AS text
             FROM sessions WHERE source_id = {source_id} ORDER BY session_id"
        );
        let numbers = format!(
            "SELECT concat_ws(' ', (SELECT count(*) FROM events WHERE source_id = id),
                 (SELECT count(*) FROM event_ids WHERE source_id = id),
                 sources.events + (SELECT coalesce(sum(events), 0) FROM arrivals
                     WHERE source_id = id),
                 clock_skewed + (SELECT coalesce(sum(clock_skewed), 0) FROM arrivals
                     WHERE source_id = id)) AS text
             FROM sources WHERE id = {source_id}"
        );
        let mut content = self.database.texts(&sessions).await;
        content.extend(self.database.texts(&numbers).await);
        content
    }
}

fn operator(database: &TestDatabase) -> Writer {
    let mut settings = database.settings("operator");
    settings.wait_milliseconds = 60_000;
    Pool::new(&settings)
        .expect("a pool")
        .writer(SignedDuration::from_hours(24))
}

async fn import(database: &TestDatabase, writer: &mut Writer, batch: &[Reported]) -> i32 {
    let mut connection = database.connect("ingestion").await;
    let source_id = batch.first().map_or(1, |reported| reported.source_id);
    let id = imports::begin(&mut connection, source_id, "log.csv", None)
        .await
        .expect("an import");
    for outcome in batch::record_import(writer, id, batch).await {
        assert!(matches!(outcome, Ok(Recorded::As(_))), "{outcome:?}");
    }
    id
}

async fn undo(writer: &mut Writer, id: i32) -> Result<(), Failure> {
    writer
        .ask(async |connection| imports::undo(connection, id, None).await)
        .await
}

#[derive(Debug, Clone)]
enum Step {
    Import(BTreeSet<usize>),
    Receive(BTreeSet<usize>),
    /// Undoes the import at this position among those that are not undone, if there is one.
    Undo(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let numbers = || prop::collection::btree_set(0..EVENTS, 0..EVENTS);
    let step = prop_oneof![
        3 => numbers().prop_map(Step::Import),
        1 => prop::collection::btree_set(0..EVENTS, 0..3).prop_map(Step::Receive),
        3 => (0..4_usize).prop_map(Step::Undo),
    ];
    prop::collection::vec(step, 2..9)
}

#[tokio::test(flavor = "multi_thread")]
async fn imports_and_undos_in_any_order_give_the_sessions_of_what_remains() {
    const CASES: i32 = 40;
    let mut store = Store::new(2 * usize::try_from(CASES).expect("a small number")).await;
    let mut runner = TestRunner::default();
    for case in 0..CASES {
        let steps = steps().new_tree(&mut runner).expect("steps").current();
        let (source_id, other_id) = (2 * case + 1, 2 * case + 2);
        let mut received = BTreeSet::new();
        let mut imported: Vec<(i32, BTreeSet<usize>)> = Vec::new();
        for step in &steps {
            match step {
                Step::Import(numbers) => {
                    let id = store.import(&events(source_id, numbers)).await;
                    imported.push((id, numbers.clone()));
                }
                Step::Receive(numbers) => {
                    store.receive(&events(source_id, numbers)).await;
                    received.extend(numbers);
                }
                Step::Undo(index) if *index < imported.len() => {
                    let (id, _) = imported.remove(*index);
                    store.undo(id).await.expect("undone");
                }
                Step::Undo(_) => (),
            }
        }
        let all = imported.iter().flat_map(|(_, numbers)| numbers);
        let remaining: BTreeSet<usize> = all.chain(&received).copied().collect();
        store.receive(&events(other_id, &remaining)).await;
        assert_eq!(
            store.content(source_id).await,
            store.content(other_id).await,
            "{steps:#?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn undone_events_are_accepted_again() {
    let mut store = Store::new(1).await;
    let batch = events(1, &(0..EVENTS).collect());
    let id = store.import(&batch).await;
    store.undo(id).await.expect("undone");
    assert_eq!(store.content(1).await, ["0 0 0 0"]);
    assert_eq!(store.receive(&batch).await, vec![Outcome::Accepted; EVENTS]);
}

#[tokio::test(flavor = "multi_thread")]
async fn event_that_a_receiver_brought_before_or_after_an_import_remains() {
    for is_before in [true, false] {
        let mut store = Store::new(1).await;
        let batch = [event(1, 0)];
        if is_before {
            store.receive(&batch).await;
        }
        let id = store.import(&batch).await;
        if !is_before {
            assert_eq!(store.receive(&batch).await, [Outcome::Duplicate]);
        }
        store.undo(id).await.expect("undone");
        assert_eq!(store.content(1).await.len(), 2, "{is_before}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn event_that_is_in_conflict_with_that_of_a_receiver_is_withdrawn() {
    let mut store = Store::new(1).await;
    let id = store.import(&[event(1, 0)]).await;
    let mut other = event(1, 1);
    other.event.event_id = "e0".into();
    assert_eq!(store.receive(&[other]).await, [Outcome::Conflict]);
    store.undo(id).await.expect("undone");
    assert_eq!(store.content(1).await, ["0 0 0 0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_keeps_the_events_that_receivers_added_to_the_session() {
    let mut store = Store::new(1).await;
    let id = store.import(&[event(1, 0)]).await;
    store.receive(&[event(1, 4)]).await;
    store.undo(id).await.expect("undone");
    let login = "SELECT coalesce(login_at::text, 'none') AS text FROM sessions";
    assert_eq!(store.database.texts(login).await, ["none"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_withdraws_events_that_were_set_aside() {
    let mut store = Store::new(1).await;
    for statement in [
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'no reason that is known'; END $$",
        "CREATE TRIGGER poison BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse()",
    ] {
        store.database.execute(statement).await;
    }
    let id = store.import(&[event(1, 0)]).await;
    assert_eq!(store.database.count("set_aside_events").await, 1);
    store.undo(id).await.expect("undone");
    assert_eq!(store.database.count("set_aside_events").await, 0);
    assert_eq!(store.database.count("event_ids").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_is_refused_for_an_unknown_an_undone_and_an_expired_import() {
    let mut store = Store::new(1).await;
    let undone = store.import(&[event(1, 0)]).await;
    store.undo(undone).await.expect("undone");
    let expired = store.import(&[event(1, 0), event(1, 1)]).await;
    let remove = "DELETE FROM event_ids WHERE event_id = 'e1'";
    store.database.execute(remove).await;
    for (id, why) in [
        (77, "There is no import 77."),
        (undone, "is already undone"),
        (expired, "retention has removed events of it"),
    ] {
        let Err(Failure::Unknown { sqlstate, message }) = store.undo(id).await else {
            panic!("import {id} is undone");
        };
        assert_eq!(sqlstate, imports::REFUSED);
        assert!(message.contains(why), "{message}");
    }
    assert_eq!(store.database.count("sessions").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn imports_undos_and_receivers_at_the_same_time_lose_no_event() {
    let mut store = Store::new(2).await;
    let all: BTreeSet<usize> = (0..EVENTS).collect();
    for round in 0..15_usize {
        let first = store.import(&events(1, &all)).await;
        let received = [event(1, round % EVENTS), event(1, (round + 5) % EVENTS)];
        let mut writers = [store.database.writer(), store.database.writer()];
        let mut undoers = [operator(&store.database), operator(&store.database)];
        let [importer, other_writer] = &mut writers;
        let [one, other] = &mut undoers;
        let database = &store.database;
        let (second, received, undone) = tokio::join!(
            async {
                let id = import(database, importer, &events(1, &all)).await;
                undo(other, id).await
            },
            record(other_writer, &received),
            undo(one, first),
        );
        second.expect("undone");
        received.expect("recorded");
        undone.expect("undone");
    }
    store.receive(&events(2, &all)).await;
    assert_eq!(store.content(1).await, store.content(2).await);
}
