//! The sweeper against a brute-force reading of the contract: whatever the order of events, and whenever sweepers ran between them.

use std::collections::BTreeMap;

use diesel_async::SimpleAsyncConnection;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use rollcall_attendance::event::{Arrival, Event, RawEvent};
use rollcall_store::{
    events::Reported,
    sessions::{Swept, sweep},
};
use rollcall_test_support::{TestDatabase, record};

#[derive(Debug, Clone)]
struct Happening {
    kind: &'static str,
    session: u8,
    second: i64,
}

#[derive(Debug, Clone)]
enum Step {
    Report(Vec<(usize, Happening)>),
    /// With what is stale by then.
    Sweep(i64),
}

const STALE_AT_LAST: i64 = 20;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_735_689_600 + second).expect("an instant")
}

fn happening() -> impl Strategy<Value = Happening> {
    let kinds = prop::sample::select(vec![
        "login", "login", "login", "active", "logout", "restart",
    ]);
    (kinds, 0..6_u8, 0..40_i64).prop_map(|(kind, session, second)| Happening {
        kind,
        session,
        second,
    })
}

/// Events in batches, and sweeps anywhere among them. What is stale only moves on.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(
        (happening(), prop::option::weighted(0.4, 0..=STALE_AT_LAST)),
        1..30,
    )
    .prop_map(|all| {
        let mut steps = Vec::new();
        let mut stale = 0;
        for (number, (happening, sweep)) in all.into_iter().enumerate() {
            match steps.last_mut() {
                Some(Step::Report(batch)) => batch.push((number, happening)),
                _ => steps.push(Step::Report(vec![(number, happening)])),
            }
            if let Some(later) = sweep {
                stale = stale.max(later);
                steps.push(Step::Sweep(stale));
            }
        }
        steps
    })
}

fn reported(source_id: i32, (number, happening): &(usize, Happening)) -> Reported {
    let forever = SignedDuration::from_hours(24 * 365 * 100);
    let of_session = happening.kind != "restart";
    let raw = RawEvent {
        event_id: Some(number.to_string()),
        kind: Some(happening.kind.into()),
        session_id: of_session.then(|| happening.session.to_string()),
        user: of_session.then(|| "user".into()),
        occurred_at: Some(at(happening.second).to_string()),
        ..RawEvent::default()
    };
    let arrival = Arrival {
        at: at(0),
        earliest: Timestamp::MIN,
        ahead: forever,
        skew: forever,
    };
    Reported {
        source_id,
        event: Event::parse(raw, &arrival).expect("an event"),
    }
}

/// Session, and whether it is open, ended as stated, or ended without having said so.
fn expected(all: &[Happening]) -> BTreeMap<u8, &'static str> {
    let restart = all
        .iter()
        .filter(|one| one.kind == "restart")
        .map(|one| one.second)
        .max();
    let mut expected = BTreeMap::new();
    for session in 0..6 {
        let of_kind = |kind| {
            let signs = all
                .iter()
                .filter(move |one| one.session == session && one.kind == kind);
            signs.map(|one| one.second)
        };
        let (login, logout) = (of_kind("login").min(), of_kind("logout").max());
        let Some(seen) = of_kind("login")
            .chain(of_kind("active"))
            .chain(of_kind("logout"))
            .max()
        else {
            continue;
        };
        let restarted = login
            .zip(restart)
            .is_some_and(|(login, restart)| login < restart && seen <= restart);
        let ended = match logout {
            Some(logout) if logout == seen => "stated",
            _ if restarted || seen < STALE_AT_LAST => "taken",
            _ => "open",
        };
        expected.insert(session, ended);
    }
    expected
}

/// A database with one source, whose id is 1.
async fn with_a_source() -> TestDatabase {
    let database = TestDatabase::new().await;
    database
        .execute("INSERT INTO sources (id, name, key_hash) OVERRIDING SYSTEM VALUE VALUES (1, 'gateway', 'x')")
        .await;
    database
}

/// The same with open sessions, all last seen at one moment.
async fn with_open_sessions(number: u32, last_activity_at: &str) -> TestDatabase {
    let database = with_a_source().await;
    database
        .execute(&format!(
            "INSERT INTO sessions (source_id, session_id, user_name, user_at, normalized_user, realm, realm_at, normalized_realm, login_at, last_activity_at)
            SELECT 1, number, 'user', now(), 'user', 'Default', '-infinity', 'default', now(), '{last_activity_at}'
            FROM generate_series(1, {number}) AS number"
        ))
        .await;
    database
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_it_sweeps_sessions_end_as_the_contract_says() {
    let database = TestDatabase::new().await;
    let mut runner = TestRunner::default();
    let mut ingestion = database.connect("ingestion").await;
    let mut writer = database.writer();
    for case in 1..=60 {
        let steps = steps().new_tree(&mut runner).expect("steps").current();
        database
            .execute(&format!(
                "INSERT INTO sources (id, name, key_hash) OVERRIDING SYSTEM VALUE VALUES ({case}, '{case}', '{case}')"
            ))
            .await;
        let mut all = Vec::new();
        for step in steps.iter().chain([&Step::Sweep(STALE_AT_LAST)]) {
            match step {
                Step::Report(batch) => {
                    let batch: Vec<Reported> =
                        batch.iter().map(|one| reported(case, one)).collect();
                    record(&mut writer, &batch).await.expect("recorded");
                }
                Step::Sweep(stale) => drop(sweep(&mut ingestion, at(*stale)).await.expect("swept")),
            }
            if let Step::Report(batch) = step {
                all.extend(batch.iter().map(|(_, happening)| happening.clone()));
            }
        }
        let query = format!(
            "SELECT session_id || CASE WHEN ended IS NULL THEN ' open' WHEN ended = 'stated' THEN ' stated' ELSE ' taken' END AS text
             FROM sessions WHERE source_id = {case} ORDER BY session_id"
        );
        let expected: Vec<String> = expected(&all)
            .iter()
            .map(|(session, ended)| format!("{session} {ended}"))
            .collect();
        assert_eq!(database.texts(&query).await, expected, "{steps:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reason_is_kept_until_a_later_sign_of_life_undoes_it() {
    let database = with_a_source().await;
    let mut ingestion = database.connect("ingestion").await;
    let mut number = 0;
    let mut report = async |kind, session, second| {
        number += 1;
        let event = reported(
            1,
            &(
                number,
                Happening {
                    kind,
                    session,
                    second,
                },
            ),
        );
        record(&mut database.writer(), &[event])
            .await
            .expect("recorded");
    };
    let ended = async || {
        database
            .texts("SELECT session_id || ' ' || coalesce(ended, 'open') AS text FROM sessions ORDER BY session_id")
            .await
    };
    report("login", 1, 10).await;
    report("login", 2, 20).await;
    report("logout", 2, 30).await;
    report("login", 3, 30).await;
    report("restart", 0, 15).await;
    assert_eq!(ended().await, ["1 open", "2 stated", "3 open"]);
    assert_eq!(
        sweep(&mut ingestion, at(5)).await,
        Ok(Swept {
            restart: 1,
            inferred: 0
        })
    );
    assert_eq!(ended().await, ["1 restart", "2 stated", "3 open"]);
    assert_eq!(
        sweep(&mut ingestion, at(31)).await,
        Ok(Swept {
            restart: 0,
            inferred: 1
        })
    );
    assert_eq!(
        sweep(&mut ingestion, at(31)).await,
        Ok(Swept {
            restart: 0,
            inferred: 0
        })
    );
    assert_eq!(ended().await, ["1 restart", "2 stated", "3 inferred"]);
    report("active", 1, 40).await;
    report("active", 2, 40).await;
    report("logout", 3, 29).await;
    assert_eq!(
        ended().await,
        ["1 open", "2 open", "3 inferred"],
        "what is no later than the last sign of life changes nothing"
    );
    report("logout", 3, 41).await;
    assert_eq!(ended().await, ["1 open", "2 open", "3 stated"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sweepers_at_once_share_the_work() {
    let database = with_open_sessions(9_000, "2025-01-01").await;
    let sweeper = async || {
        let mut connection = database.connect("ingestion").await;
        let mut inferred = 0;
        // A full step, or one that left rows to another, is not the last.
        while database
            .texts("SELECT '' AS text FROM sessions WHERE ended IS NULL LIMIT 1")
            .await
            .len()
            == 1
        {
            inferred += sweep(&mut connection, at(86_400))
                .await
                .expect("swept")
                .inferred;
        }
        inferred
    };
    let inferred = join_all((0..4).map(|_| sweeper())).await;
    assert_eq!(
        inferred.iter().sum::<i64>(),
        9_000,
        "each session once: {inferred:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn open_sessions_that_are_not_due_are_not_looked_at() {
    let database = with_open_sessions(20_000, "now").await;
    database
        .execute("UPDATE sources SET last_restart_at = '2025-01-01'")
        .await;
    database.execute("VACUUM ANALYZE sessions").await;
    let mut owner = database.connect("rollcall").await;
    let looked_at = async || {
        let read = "SELECT (seq_tup_read + idx_tup_fetch)::text AS text FROM pg_stat_user_tables WHERE relname = 'sessions'";
        database.texts(read).await[0]
            .parse::<i64>()
            .expect("a number")
    };
    let before = looked_at().await;
    assert_eq!(
        sweep(&mut owner, at(86_400)).await,
        Ok(Swept {
            restart: 0,
            inferred: 0
        })
    );
    // Or it would be counted a second later.
    owner
        .batch_execute("SELECT pg_stat_force_next_flush()")
        .await
        .expect("flushed");
    let looked_at = looked_at().await - before;
    // The planner itself looks at the first.
    assert!(looked_at < 10, "{looked_at} rows");
}
