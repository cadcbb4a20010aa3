//! Months of events, retention, and what is known of each source.

use diesel_async::AsyncPgConnection;
use jiff::{SignedDuration, Timestamp};
use rollcall_attendance::event::{Arrival, Event, RawEvent};
use rollcall_store::{
    events::{Outcome, Reported},
    failure::Failure,
    retention,
    sources::{self, New},
};
use rollcall_test_support::{TestDatabase, record};

fn event(id: &str, at: &str) -> Reported {
    let arrival = Arrival {
        at: "2025-06-01T00:00:00Z".parse().expect("an instant"),
        earliest: Timestamp::MIN,
        ahead: SignedDuration::from_hours(1),
        skew: SignedDuration::from_hours(24 * 365),
    };
    let raw = RawEvent {
        event_id: Some(id.into()),
        kind: Some("login".into()),
        session_id: Some(id.into()),
        user: Some("user_4".into()),
        occurred_at: Some(at.into()),
        ..RawEvent::default()
    };
    Reported {
        source_id: 1,
        event: Event::parse(raw, &arrival).expect("an event"),
    }
}

async fn with_source() -> (TestDatabase, AsyncPgConnection) {
    let database = TestDatabase::new().await;
    let source = New {
        name: "gateway",
        key_hash: b"x",
        radius_secret: None,
    };
    assert!(
        sources::add(&mut database.connect("operator").await, &source)
            .await
            .expect("added")
    );
    let connection = database.connect("ingestion").await;
    (database, connection)
}

async fn partitions(database: &TestDatabase) -> Vec<String> {
    partitions_of(database, "events").await
}

async fn partitions_of(database: &TestDatabase, table: &str) -> Vec<String> {
    database
        .texts(&format!(
            "SELECT inhrelid::regclass::text AS text FROM pg_inherits WHERE inhparent = '{table}'::regclass ORDER BY 1"
        ))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_are_made_ahead_and_making_them_again_changes_nothing() {
    let (database, mut ingestion) = with_source().await;
    let made = partitions(&database).await;
    assert_eq!(made.len(), 4, "this month and three more: {made:?}");
    let (once, again) = (
        database.connect("ingestion").await,
        database.connect("ingestion").await,
    );
    let all = [once, again]
        .map(|mut connection| async move { retention::make_partitions(&mut connection).await });
    assert!(
        futures::future::join_all(all)
            .await
            .iter()
            .all(Result::is_ok)
    );
    assert_eq!(partitions(&database).await, made);

    database.execute(&format!("DROP TABLE {}", made[3])).await;
    retention::make_partitions(&mut ingestion)
        .await
        .expect("made");
    assert_eq!(partitions(&database).await, made);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_partition_nothing_is_refused_for_good() {
    let (database, mut ingestion) = with_source().await;
    for name in partitions(&database).await {
        database.execute(&format!("DROP TABLE {name}")).await;
    }
    let error = record(
        &mut database.writer(),
        &[event("e", "2025-01-01T00:00:00Z")],
    )
    .await
    .expect_err("no partition");
    assert!(
        matches!(error, Failure::Unavailable(_)),
        "a receiver answers 503 and not that the event is bad"
    );
    retention::make_partitions(&mut ingestion)
        .await
        .expect("made");
    assert_eq!(
        record(
            &mut database.writer(),
            &[event("e", "2025-01-01T00:00:00Z")]
        )
        .await,
        Ok(vec![Outcome::Accepted])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_past_retention_goes_in_steps_and_the_audit_log_tells() {
    let (database, mut ingestion) = with_source().await;
    let events: Vec<Reported> = (0..7)
        .map(|number| event(&number.to_string(), "2025-01-01T00:00:00Z"))
        .collect();
    record(&mut database.writer(), &events)
        .await
        .expect("recorded");
    record(
        &mut database.writer(),
        &[event("young", "2025-05-01T00:00:00Z")],
    )
    .await
    .expect("recorded");
    // As if they had come three months ago.
    database
        .execute(
            "CREATE TABLE events_2025_01 (LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)",
        )
        .await;
    database.execute("WITH old AS (DELETE FROM events WHERE event_id <> 'young' RETURNING *) INSERT INTO events_2025_01 SELECT * FROM old").await;
    database
        .execute("UPDATE events_2025_01 SET received_at = '2025-01-02'")
        .await;
    let so_far = partitions(&database).await.swap_remove(0);
    database
        .execute(&format!("ALTER TABLE events DETACH PARTITION {so_far}"))
        .await;
    database
        .execute("ALTER TABLE events ATTACH PARTITION events_2025_01 FOR VALUES FROM (MINVALUE) TO ('2025-02-01')")
        .await;
    database.execute(&format!("ALTER TABLE events ATTACH PARTITION {so_far} FOR VALUES FROM ('2025-02-01') TO (month_end('{so_far}'))")).await;

    let before: Timestamp = "2025-04-15T00:00:00Z".parse().expect("an instant");
    assert_eq!(
        retention::remove_event_ids(&mut ingestion, before, 0).await,
        Ok(None),
        "one step does it"
    );
    assert_eq!(
        retention::remove_event_month(&mut ingestion, before).await,
        Ok(true)
    );
    assert_eq!(
        retention::remove_event_month(&mut ingestion, before).await,
        Ok(false)
    );
    while retention::remove_sessions(&mut ingestion, before)
        .await
        .expect("a step")
    {}
    assert_eq!(partitions(&database).await.len(), 4);
    for table in ["events", "event_ids", "sessions"] {
        assert_eq!(database.count(table).await, 1, "{table}");
    }
    let audit = database
        .texts(
            "SELECT action || ' ' || (detail - 'before')::text AS text FROM audit_log ORDER BY id",
        )
        .await;
    assert_eq!(
        audit,
        [
            r#"events.remove {"events": 7}"#,
            r#"sessions.remove {"sessions": 7}"#
        ]
    );
    assert_eq!(
        record(
            &mut database.writer(),
            &[event("young", "2025-05-01T00:00:00Z")]
        )
        .await,
        Ok(vec![Outcome::Duplicate])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_months_past_retention_are_removed_and_the_audit_log_says_so() {
    let (database, mut ingestion) = with_source().await;
    let kept = partitions_of(&database, "audit_log").await;
    assert_eq!(kept.len(), 4, "this month and three more: {kept:?}");
    for month in ["2025_01", "2025_02"] {
        let name = format!("audit_log_{month}");
        database
            .execute(&format!(
                "CREATE TABLE {name} (LIKE audit_log INCLUDING DEFAULTS)"
            ))
            .await;
        let begin = format!("{}-01", month.replace('_', "-"));
        database
            .execute(&format!(
                "ALTER TABLE audit_log ATTACH PARTITION {name} FOR VALUES FROM ('{begin}') TO (month_end('{name}'))"
            ))
            .await;
        database
            .execute(&format!(
                "INSERT INTO audit_log (at, actor, action, detail) VALUES ('{begin}', 'a', 'old', '{{}}')"
            ))
            .await;
    }
    let before: Timestamp = "2025-02-15T00:00:00Z".parse().expect("an instant");
    let remove = retention::remove_audit_month;
    assert_eq!(remove(&mut ingestion, before).await, Ok(true));
    assert_eq!(
        remove(&mut ingestion, before).await,
        Ok(false),
        "February is not over by then"
    );
    let entries = "SELECT action || ' ' || actor || ' ' || role AS text FROM audit_log ORDER BY at";
    assert_eq!(
        database.texts(entries).await,
        ["old a rollcall", "audit.remove retention ingestion"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_month_takes_several_steps() {
    let (database, mut ingestion) = with_source().await;
    database
        .execute(
            "CREATE TABLE events_2025_01 (LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)",
        )
        .await;
    database
        .execute(
            "INSERT INTO events_2025_01 (source_id, event_id, kind, occurred_at, received_at, reason)
             SELECT 1, n::text, 'restart', '2025-01-02', '2025-01-02', repeat('x', 300) FROM generate_series(1, 20000) AS n",
        )
        .await;
    database
        .execute("INSERT INTO event_ids SELECT 1, n::text, '' FROM generate_series(0, 20000) AS n")
        .await;
    let so_far = partitions(&database).await.swap_remove(0);
    database
        .execute(&format!("ALTER TABLE events DETACH PARTITION {so_far}"))
        .await;
    database
        .execute("ALTER TABLE events ATTACH PARTITION events_2025_01 FOR VALUES FROM (MINVALUE) TO ('2025-02-01')")
        .await;
    let (mut next, mut steps) = (Some(0), 0);
    while let Some(block) = next {
        let before = "2025-02-01T00:00:00Z".parse().expect("an instant");
        next = retention::remove_event_ids(&mut ingestion, before, block)
            .await
            .expect("a step");
        steps += 1;
    }
    assert!(steps > 1, "{steps}");
    assert_eq!(
        database.count("event_ids").await,
        1,
        "that of an event of another month"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_young_goes_whatever_is_asked_for() {
    let (_database, mut ingestion) = with_source().await;
    let soon: Timestamp = "2999-01-01T00:00:00Z".parse().expect("an instant");
    assert!(
        retention::remove_event_ids(&mut ingestion, soon, 0)
            .await
            .is_err()
    );
    assert!(
        retention::remove_event_month(&mut ingestion, soon)
            .await
            .is_err()
    );
    assert!(
        retention::remove_sessions(&mut ingestion, soon)
            .await
            .is_err()
    );
    assert!(
        retention::remove_audit_month(&mut ingestion, soon)
            .await
            .is_err()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_tells_how_much_it_sent_and_where_it_was_silent() {
    let (database, mut ingestion) = with_source().await;
    let mut operator = database.connect("operator").await;
    let first = [
        event("1", "2025-05-01T00:00:00Z"),
        event("2", "2025-05-01T00:00:01Z"),
    ];
    record(&mut database.writer(), &first)
        .await
        .expect("recorded");
    record(
        &mut database.writer(),
        &[first[0].clone(), event("3", "2020-01-01T00:00:00Z")],
    )
    .await
    .expect("recorded");
    database
        .execute("UPDATE arrivals SET received_at = now() - interval '5 hours'")
        .await;
    record(
        &mut database.writer(),
        &[event("4", "2025-05-01T05:00:00Z")],
    )
    .await
    .expect("recorded");
    sources::add_up(&mut operator, 3600)
        .await
        .expect("added up");
    sources::add_up(&mut operator, 3600)
        .await
        .expect("added up again");

    let known = sources::list(&mut operator)
        .await
        .expect("a list")
        .swap_remove(0);
    assert_eq!(
        (known.events, known.clock_skewed, known.gaps),
        (4, 1, 1),
        "duplicates do not count"
    );
    assert_eq!(
        known.last_event_at.expect("an event").to_string(),
        "2025-05-01T05:00:00Z"
    );
    assert!(known.last_gap_to > known.last_gap_from);

    assert_eq!(
        sources::list(&mut ingestion)
            .await
            .expect("ingestion's own list")
            .len(),
        1
    );
    database
        .execute("UPDATE sources SET complete_through = now() + interval '1 minute'")
        .await;
    assert_eq!(
        sources::list(&mut operator).await.expect("a list")[0].gaps,
        0,
        "it says that it has sent everything"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_is_of_the_source_with_the_narrowest_network() {
    let (database, mut ingestion) = with_source().await;
    let mut operator = database.connect("operator").await;
    sources::add(
        &mut operator,
        &New {
            name: "branch",
            key_hash: b"y",
            radius_secret: Some("sixteen-characters"),
        },
    )
    .await
    .expect("added");
    let set = async |connection: &mut AsyncPgConnection, name: &str, networks: &[&str]| {
        let networks: Vec<String> = networks
            .iter()
            .map(|network| (*network).to_owned())
            .collect();
        sources::set_networks(connection, name, &networks).await
    };
    assert_eq!(
        set(&mut operator, "gateway", &["192.0.2.0/24", "2001:db8::/32"]).await,
        Ok(true)
    );
    assert_eq!(
        set(&mut operator, "branch", &["192.0.2.16/28"]).await,
        Ok(true)
    );
    assert_eq!(set(&mut operator, "nobody", &[]).await, Ok(false));
    assert!(
        set(&mut operator, "branch", &["192.0.2.0/24"])
            .await
            .is_err(),
        "another source's"
    );
    let mut name = async |address: &str| {
        let found = sources::by_address(&mut ingestion, address.parse().expect("an address"))
            .await
            .expect("an answer");
        found.map(|sender| sender.name)
    };
    assert_eq!(name("192.0.2.1").await.as_deref(), Some("gateway"));
    assert_eq!(name("192.0.2.17").await.as_deref(), Some("branch"));
    assert_eq!(name("2001:db8::1").await.as_deref(), Some("gateway"));
    assert_eq!(name("198.51.100.1").await, None);
}
