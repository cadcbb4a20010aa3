//! Retention removes what is past its limit, and nothing else.

use rollcall_maintenance::jobs::{Outcome, retention::Retention};

use crate::support::{
    add_events, add_session, audit, database, days_to_fourth_past_month, partitions, past_month,
    run, set_limit, start,
};

#[tokio::test(flavor = "multi_thread")]
async fn expired_month_of_events_is_removed_with_its_event_ids() {
    let database = database().await;
    let expired = past_month(&database, "events", 4).await;
    let days = days_to_fourth_past_month(&database).await;
    add_events(&database, "old", 20_000, days).await;
    add_events(&database, "young", 3, 0).await;
    let imported = "INSERT INTO imported_events SELECT 1, 1, event_id, true FROM event_ids
        WHERE event_id IN ('old-1', 'young-1')";
    database.execute(imported).await;
    set_limit(&database, "events", 40).await;
    let _service = start(&database);
    let count =
        "SELECT count(*)::text AS text FROM pg_inherits WHERE inhparent = 'events'::regclass";
    crate::support::eventually(&database, count, "4").await;
    assert!(!partitions(&database, "events").await.contains(&expired));
    assert_eq!(database.count("events").await, 3);
    assert_eq!(database.count("event_ids").await, 3);
    assert_eq!(database.count("imported_events").await, 1);
    let removed = "SELECT sum((detail->>'events')::integer)::text || ' ' || (count(*) > 1) AS text
        FROM audit_log WHERE action = 'events.remove' AND role = 'maintenance'";
    assert_eq!(
        database.texts(removed).await,
        ["20000 true"],
        "several steps, each with an audit entry"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn month_that_ended_within_the_limit_is_kept() {
    let database = database().await;
    past_month(&database, "events", 4).await;
    past_month(&database, "audit_log", 4).await;
    set_limit(&database, "events", 130).await;
    set_limit(&database, "audit_log", 130).await;
    run(&database, &Retention).await.expect("retention");
    assert_eq!(partitions(&database, "events").await.len(), 5);
    assert_eq!(partitions(&database, "audit_log").await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_sessions_are_removed_by_their_last_activity() {
    let database = database().await;
    for (id, days) in [("old", 41), ("young", 39)] {
        add_session(&database, id, days).await;
    }
    add_session(&database, "long", 50).await;
    let active = "UPDATE sessions SET last_activity_at = now() WHERE session_id = 'long'";
    database.execute(active).await;
    set_limit(&database, "sessions", 40).await;
    run(&database, &Retention).await.expect("retention");
    let kept = "SELECT session_id AS text FROM sessions ORDER BY 1";
    assert_eq!(database.texts(kept).await, ["long", "young"]);
    assert_eq!(
        audit(&database).await,
        [r#"sessions.remove maintenance {"sessions": 1}"#]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_set_aside_events_are_removed_with_their_event_ids() {
    let database = database().await;
    for (id, days) in [("old", 41), ("young", 39)] {
        let event = format!(
            "INSERT INTO set_aside_events (source_id, event_id, kind, occurred_at, received_at,
                 receiver, sqlstate, message)
             VALUES (1, '{id}', 'restart', now(), now() - {days} * interval '24 hours', 'http',
                 'P0001', '')"
        );
        database.execute(&event).await;
        let id = format!("INSERT INTO event_ids VALUES (1, '{id}', '')");
        database.execute(&id).await;
    }
    set_limit(&database, "events", 40).await;
    run(&database, &Retention).await.expect("retention");
    for table in ["set_aside_events", "event_ids"] {
        let kept = format!("SELECT event_id AS text FROM {table}");
        assert_eq!(database.texts(&kept).await, ["young"], "{table}");
    }
    assert_eq!(
        audit(&database).await,
        [r#"set_aside.remove maintenance {"events": 1}"#]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_rejected_input_is_removed_by_the_time_of_the_latest() {
    let database = database().await;
    for (reason, days) in [("old", 41), ("young", 39)] {
        let rejected = format!(
            "INSERT INTO rejected_inputs (source_id, receiver, reason, count, first_at, last_at,
                 sample)
             VALUES (1, 'syslog', '{reason}', 1, now() - interval '50 days',
                 now() - {days} * interval '24 hours', '')"
        );
        database.execute(&rejected).await;
    }
    set_limit(&database, "events", 40).await;
    run(&database, &Retention).await.expect("retention");
    let kept = "SELECT reason AS text FROM rejected_inputs";
    assert_eq!(database.texts(kept).await, ["young"]);
    assert_eq!(
        audit(&database).await,
        [r#"rejected_inputs.remove maintenance {"rows": 1}"#]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_correlated_events_are_removed_unless_their_session_has_a_later_event() {
    let database = database().await;
    for (id, days) in [("old", 41), ("young", 39), ("long", 41)] {
        add_session(&database, id, days).await;
        let event = format!(
            "INSERT INTO correlated_events (source_id, correlation_key, occurred_at, event_id, kind,
                 person_id, names_realm, session_id)
             VALUES (1, 'key', now() - {days} * interval '24 hours', '{id}', 'login', 1, false,
                 '{id}')"
        );
        database.execute(&event).await;
    }
    let active = "UPDATE sessions SET last_activity_at = now() WHERE session_id = 'long'";
    database.execute(active).await;
    set_limit(&database, "events", 40).await;
    run(&database, &Retention).await.expect("retention");
    let kept = "SELECT event_id AS text FROM correlated_events ORDER BY 1";
    assert_eq!(database.texts(kept).await, ["long", "young"]);
    assert_eq!(
        audit(&database).await,
        [r#"correlated_events.remove maintenance {"events": 1}"#]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_month_of_the_audit_log_is_removed_and_recorded() {
    let database = database().await;
    let expired = past_month(&database, "audit_log", 4).await;
    set_limit(&database, "audit_log", 40).await;
    run(&database, &Retention).await.expect("retention");
    assert!(!partitions(&database, "audit_log").await.contains(&expired));
    assert_eq!(audit(&database).await, ["audit.remove maintenance {}"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_removed_without_limits() {
    let database = database().await;
    past_month(&database, "events", 24).await;
    past_month(&database, "audit_log", 24).await;
    add_session(&database, "old", 700).await;
    for data in ["events", "sessions"] {
        set_limit(&database, data, 0).await;
    }
    run(&database, &Retention).await.expect("retention");
    assert_eq!(partitions(&database, "events").await.len(), 5);
    assert_eq!(partitions(&database, "audit_log").await.len(), 5);
    assert_eq!(database.count("sessions").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_younger_than_31_days_is_removed_with_a_limit_of_one_day() {
    let database = database().await;
    past_month(&database, "events", 1).await;
    past_month(&database, "audit_log", 1).await;
    for (id, days) in [("old", 32), ("young", 30)] {
        add_session(&database, id, days).await;
    }
    for data in ["events", "sessions", "audit_log"] {
        set_limit(&database, data, 1).await;
    }
    run(&database, &Retention).await.expect("retention");
    assert_eq!(partitions(&database, "events").await.len(), 5);
    assert_eq!(partitions(&database, "audit_log").await.len(), 5);
    let kept = "SELECT session_id AS text FROM sessions";
    assert_eq!(database.texts(kept).await, ["young"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_that_failed_completes_at_the_next_run() {
    let database = database().await;
    let expired = past_month(&database, "events", 4).await;
    add_session(&database, "old", 41).await;
    for data in ["events", "sessions"] {
        set_limit(&database, data, 40).await;
    }
    let owner = |role: &str| format!("ALTER TABLE partitions.{expired} OWNER TO {role}");
    database.execute(&owner("rollcall")).await;
    assert!(run(&database, &Retention).await.is_err());
    assert_eq!(
        database.count("sessions").await,
        0,
        "a month that cannot be removed does not keep sessions"
    );
    database.execute(&owner("maintenance")).await;
    assert!(matches!(
        run(&database, &Retention).await,
        Ok(Outcome::Done)
    ));
    assert!(!partitions(&database, "events").await.contains(&expired));
}
