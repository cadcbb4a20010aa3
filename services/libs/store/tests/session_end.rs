//! Ends of sessions compared with a brute-force reading of the contract, for any order of events
//! and without any background work.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use rollcall_attendance::event::{Event, RawEvent};
use rollcall_store::{
    events::{Receiver, Reported},
    sessions,
};
use rollcall_test_support::{TestDatabase, record, unlimited_arrival};

const TIMEOUT: SignedDuration = SignedDuration::from_secs(600);

#[derive(Debug, Clone)]
struct TestEvent {
    kind: &'static str,
    session: u8,
    second: i64,
    next_in: Option<i64>,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_735_689_600 + second).expect("an instant")
}

fn test_events() -> impl Strategy<Value = Vec<TestEvent>> {
    let kinds = prop::sample::select(vec![
        "login", "login", "login", "active", "logout", "restart",
    ]);
    let next_in = prop::option::of(0..12_i64);
    let event =
        (kinds, 0..6_u8, 0..40_i64, next_in).prop_map(|(kind, session, second, next_in)| {
            TestEvent {
                kind,
                session,
                second,
                next_in,
            }
        });
    prop::collection::vec(event, 1..30)
}

fn reported(source_id: i32, number: usize, event: &TestEvent) -> Reported {
    let has_session = event.kind != "restart";
    let raw = RawEvent {
        event_id: Some(number.to_string()),
        kind: Some(event.kind.into()),
        session_id: has_session.then(|| event.session.to_string()),
        user: has_session.then(|| format!("user {source_id}")),
        occurred_at: Some(at(event.second).to_string()),
        next_in_seconds: event.next_in,
        ..RawEvent::default()
    };
    Reported {
        source_id,
        event: Event::parse(raw, &unlimited_arrival()).expect("an event"),
        receiver: Receiver::Http,
    }
}

/// Returns the end reason of each session, or "open".
fn expected(events: &[TestEvent], timeout_before: i64) -> BTreeMap<String, String> {
    let times = |session: u8, kind: &'static str| {
        events
            .iter()
            .filter(move |event| event.session == session && event.kind == kind)
            .map(|event| event.second)
    };
    let restarts = || events.iter().filter(|event| event.kind == "restart");
    let mut expected = BTreeMap::new();
    for session in 0..6 {
        let of_session = || {
            ["login", "active", "logout"]
                .into_iter()
                .flat_map(|kind| times(session, kind))
        };
        let Some(last) = of_session().max() else {
            continue;
        };
        let due = announced(events, session, last).map(|wait| last + 2 * wait);
        let closes_at = due.unwrap_or(i64::MAX).min(last + TIMEOUT.as_secs());
        let is_restarted = times(session, "login").min().is_some_and(|login| {
            restarts().any(|restart| {
                login < restart.second && (last..=closes_at).contains(&restart.second)
            })
        });
        let end_reason = if times(session, "logout").max() == Some(last) {
            "logout"
        } else if is_restarted {
            "restart"
        } else if last < timeout_before
            || due.is_some_and(|due| events.iter().any(|event| event.second > due))
        {
            "timeout"
        } else {
            "open"
        };
        expected.insert(session.to_string(), end_reason.to_owned());
    }
    expected
}

/// Returns the time in which the latest event of the session announced the next one.
fn announced(events: &[TestEvent], session: u8, last: i64) -> Option<i64> {
    let latest = events.iter().filter(|event| {
        event.kind != "restart" && event.session == session && event.second == last
    });
    latest
        .filter_map(|event| event.next_in.filter(|wait| *wait > 0))
        .max()
}

/// Records the events of source 1 in one batch.
async fn record_all(database: &TestDatabase, events: &[TestEvent]) {
    let numbered = events.iter().enumerate();
    let batch: Vec<_> = numbered
        .map(|(number, event)| reported(1, number, event))
        .collect();
    record(&mut database.writer(), &batch)
        .await
        .expect("recorded");
}

async fn end_reasons(
    database: &TestDatabase,
    source_id: i32,
    timeout_before: i64,
) -> BTreeMap<String, String> {
    let mut reporting = database.connect("reporting").await;
    let user = format!("USER {source_id}");
    let now = at(timeout_before) + TIMEOUT;
    let period = (at(0), at(100));
    let sessions = sessions::of_user(&mut reporting, &user, period, (now, TIMEOUT));
    let sessions = sessions.await.expect("sessions");
    assert!(sessions.iter().all(|session| {
        session.ended_at
            == session
                .end_reason
                .as_ref()
                .map(|_| session.last_activity_at)
    }));
    let end = |reason: Option<String>| reason.unwrap_or_else(|| "open".into());
    sessions
        .into_iter()
        .map(|session| (session.session_id, end(session.end_reason)))
        .collect()
}

async fn add_source(database: &TestDatabase, id: i32) {
    database
        .execute(&format!(
            "INSERT INTO sources (id, name, key_hash) OVERRIDING SYSTEM VALUE
             VALUES ({id}, '{id}', '{id}')"
        ))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn end_reason_follows_the_contract_for_any_events() {
    let database = TestDatabase::new().await;
    let mut runner = TestRunner::default();
    let mut writer = database.writer();
    for case in 1..=60 {
        let events = test_events()
            .new_tree(&mut runner)
            .expect("events")
            .current();
        add_source(&database, case).await;
        let batch: Vec<Reported> = events
            .iter()
            .enumerate()
            .map(|(number, event)| reported(case, number, event))
            .collect();
        for part in batch.chunks(4) {
            record(&mut writer, part).await.expect("recorded");
        }
        for timeout_before in [0, 20] {
            assert_eq!(
                end_reasons(&database, case, timeout_before).await,
                expected(&events, timeout_before),
                "{timeout_before} {events:#?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn session_is_closed_by_timeout_only_after_the_time_has_passed() {
    let database = TestDatabase::new().await;
    add_source(&database, 1).await;
    let login = TestEvent {
        kind: "login",
        session: 1,
        second: 10,
        next_in: None,
    };
    record(&mut database.writer(), &[reported(1, 1, &login)])
        .await
        .expect("recorded");
    assert_eq!(end_reasons(&database, 1, 10).await["1"], "open");
    assert_eq!(end_reasons(&database, 1, 11).await["1"], "timeout");
}

#[tokio::test(flavor = "multi_thread")]
async fn overdue_session_stays_open_until_its_source_reports_a_later_event() {
    let database = TestDatabase::new().await;
    add_source(&database, 1).await;
    let event = |session, second, next_in| TestEvent {
        kind: "login",
        session,
        second,
        next_in,
    };
    let record = async |number, event: TestEvent| {
        let batch = [reported(1, number, &event)];
        record(&mut database.writer(), &batch)
            .await
            .expect("recorded");
    };
    record(1, event(1, 10, Some(5))).await;
    record(2, event(2, 20, None)).await;
    assert_eq!(end_reasons(&database, 1, 0).await["1"], "open");
    record(3, event(3, 21, None)).await;
    assert_eq!(end_reasons(&database, 1, 0).await["1"], "timeout");
    assert_eq!(end_reasons(&database, 1, 0).await["2"], "open");
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_session_is_reopened_by_a_later_event_only() {
    let database = TestDatabase::new().await;
    add_source(&database, 1).await;
    let mut number = 0;
    let mut report = async |kind, session, second| {
        number += 1;
        let event = TestEvent {
            kind,
            session,
            second,
            next_in: None,
        };
        record(&mut database.writer(), &[reported(1, number, &event)])
            .await
            .expect("recorded");
    };
    report("login", 1, 10).await;
    report("restart", 0, 15).await;
    assert_eq!(end_reasons(&database, 1, 0).await["1"], "restart");
    report("active", 1, 14).await;
    assert_eq!(end_reasons(&database, 1, 0).await["1"], "restart");
    report("active", 1, 16).await;
    assert_eq!(end_reasons(&database, 1, 0).await["1"], "open");
    report("logout", 1, 20).await;
    assert_eq!(end_reasons(&database, 1, 0).await["1"], "logout");
    report("active", 1, 21).await;
    assert_eq!(end_reasons(&database, 1, 0).await["1"], "open");
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_after_the_timeout_does_not_change_the_end_reason() {
    let database = TestDatabase::new().await;
    add_source(&database, 1).await;
    let event = |kind, session, second| TestEvent {
        kind,
        session,
        second,
        next_in: None,
    };
    let timeout = TIMEOUT.as_secs();
    let events = [
        event("login", 1, 10),
        event("login", 2, 11),
        event("restart", 0, 11 + timeout),
        event("restart", 0, 12 + timeout),
    ];
    record_all(&database, &events).await;
    let reasons = end_reasons(&database, 1, 13).await;
    assert_eq!((&*reasons["1"], &*reasons["2"]), ("timeout", "restart"));
}

#[tokio::test(flavor = "multi_thread")]
async fn accuracy_of_a_time_depends_on_how_it_is_known() {
    let database = TestDatabase::new().await;
    add_source(&database, 1).await;
    let event = |kind, session, second, next_in| TestEvent {
        kind,
        session,
        second,
        next_in,
    };
    let events = [
        event("login", 1, 10, None),
        event("logout", 1, 12, None),
        event("login", 2, 10, None),
        event("restart", 0, 15, None),
        event("login", 3, 20, None),
        event("login", 4, 20, Some(3)),
        event("active", 5, 31, None),
    ];
    record_all(&database, &events).await;
    let mut reporting = database.connect("reporting").await;
    let found = |now| (at(now) + TIMEOUT, TIMEOUT);
    let period = (at(0), at(100));
    let sessions = sessions::of_user(&mut reporting, "user 1", period, found(25)).await;
    let mut accuracies: Vec<_> = sessions
        .expect("sessions")
        .into_iter()
        .map(|session| {
            let (login, end) = (session.login_accuracy_seconds, session.end_accuracy_seconds);
            (session.session_id, login, end)
        })
        .collect();
    accuracies.sort();
    let expected = [
        ("1", Some(0), Some(0)),
        ("2", Some(0), Some(5)),
        ("3", Some(0), Some(600)),
        ("4", Some(0), Some(6)),
        ("5", None, None),
    ];
    assert_eq!(
        accuracies,
        expected.map(|(id, login, end)| (id.to_owned(), login, end))
    );
}
