//! Tests of events that the database refuses. Such an event is set aside and can be replayed, and
//! other events are recorded.

use rollcall_store::{set_aside, sources};
use rollcall_test_support::Rollcall;
use serde_json::{Value, json};

const REFUSE_POISON: &str = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'unknown reason'; END $$";
const WHEN_POISON: &str = "CREATE TRIGGER poison BEFORE INSERT ON events FOR EACH ROW
    WHEN (NEW.reason = 'poison') EXECUTE FUNCTION refuse()";

fn event(id: &str, reason: &str) -> Value {
    json!({
        "event_id": id, "type": "login", "session_id": id, "user": "user_4", "reason": reason,
        "occurred_at": "2025-02-13T10:00:00Z", "complete_through": "2025-02-13T09:00:00Z",
    })
}

async fn poisoned() -> (Rollcall, String) {
    let rollcall = Rollcall::start().await;
    let key = rollcall.source().await;
    rollcall.database.execute(REFUSE_POISON).await;
    rollcall.database.execute(WHEN_POISON).await;
    (rollcall, key)
}

async fn send(rollcall: &Rollcall, key: &str, events: &Value) -> Value {
    let response = rollcall.send(key, events).await;
    assert_eq!(response.status(), 200);
    response.json().await.expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_events_of_one_source_do_not_affect_another() {
    let (rollcall, poisoner) = poisoned().await;
    let steady = rollcall.source().await;
    let poison = async {
        for round in 0..15 {
            let events: Vec<Value> = (0..10)
                .map(|number| {
                    event(
                        &format!("{round}-{number}"),
                        if number == 5 { "poison" } else { "" },
                    )
                })
                .collect();
            let result = send(&rollcall, &poisoner, &json!(events)).await;
            assert_eq!(result["accepted"], 9, "{result}");
            assert_eq!(result["rejected"][0]["index"], 5, "{result}");
        }
    };
    let good = async {
        for number in 0..60 {
            let result = send(&rollcall, &steady, &event(&number.to_string(), "")).await;
            assert_eq!(result["accepted"], 1, "{result}");
        }
    };
    tokio::join!(poison, good);
    assert_eq!(rollcall.database.count("events").await, 15 * 9 + 60);
    assert_eq!(rollcall.database.count("set_aside_events").await, 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn set_aside_event_is_stored_once_and_its_event_id_conflicts() {
    let (rollcall, key) = poisoned().await;
    let poison = event("1", "poison");
    for _ in 0..3 {
        let result = send(&rollcall, &key, &poison).await;
        let message = result["rejected"][0]["message"]
            .as_str()
            .expect("a message");
        assert!(message.starts_with("The event is set aside"), "{result}");
    }
    let other = send(&rollcall, &key, &event("1", "other")).await;
    assert_eq!(other["rejected"][0]["field"], "event_id", "{other}");
    assert_eq!(rollcall.database.count("set_aside_events").await, 1);
    assert_eq!(rollcall.database.count("sessions").await, 0);
    let listed = rollcall
        .operator()
        .ask(async |connection| sources::list(connection).await)
        .await
        .expect("sources");
    assert_eq!(listed[0].set_aside, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn replayed_event_keeps_its_event_id_and_time_of_arrival() {
    let (rollcall, key) = poisoned().await;
    send(
        &rollcall,
        &key,
        &json!([event("1", "poison"), event("2", "")]),
    )
    .await;
    rollcall
        .database
        .execute("UPDATE set_aside_events SET received_at = received_at - interval '2 seconds'")
        .await;
    let arrived = rollcall
        .database
        .texts("SELECT received_at::text AS text FROM set_aside_events")
        .await;
    let mut writer = rollcall.database.writer();
    let events = writer
        .ask(async |connection| set_aside::of_source(connection, 1).await)
        .await
        .expect("events");
    assert_eq!(events.len(), 1);
    let replay = set_aside::replay;
    let refused = writer
        .ask(async |connection| replay(connection, &events[0]).await)
        .await;
    assert!(refused.is_err(), "the database still refuses the event");
    assert_eq!(rollcall.database.count("set_aside_events").await, 1);

    rollcall
        .database
        .execute("DROP TRIGGER poison ON events")
        .await;
    for expected in [true, false] {
        let replayed = writer
            .ask(async |connection| replay(connection, &events[0]).await)
            .await;
        assert_eq!(replayed, Ok(expected));
    }
    let recorded = "SELECT received_at::text AS text FROM events WHERE event_id = '1'";
    assert_eq!(rollcall.database.texts(recorded).await, arrived);
    assert_eq!(rollcall.database.count("set_aside_events").await, 0);
    assert_eq!(rollcall.database.count("sessions").await, 2);
    let result = send(&rollcall, &key, &event("1", "poison")).await;
    assert_eq!(result["duplicates"], 1, "{result}");
    let noted = "SELECT action || ' ' || role AS text FROM audit_log";
    assert_eq!(
        rollcall.database.texts(noted).await,
        ["event.replay ingestion"]
    );
}
