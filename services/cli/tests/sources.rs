//! What an operator does about a source, through the binary.

use std::process::Command;

use rollcall_test_support::Rollcall;
use serde_json::{Value, json};

fn run(rollcall: &Rollcall, role: &str, arguments: &[&str]) -> Value {
    let database = rollcall.database.settings(role);
    let output = Command::new(env!("CARGO_BIN_EXE_rollcall"))
        .arg("--json")
        .args(arguments)
        .env("ROLLCALL_DATABASE__HOST", database.host)
        .env("ROLLCALL_DATABASE__PORT", database.port.to_string())
        .env("ROLLCALL_DATABASE__NAME", database.name)
        .env("ROLLCALL_DATABASE__USER", database.user)
        .env("ROLLCALL_DATABASE__PASSWORD_FILE", database.password_file)
        .output()
        .expect("the binary");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn events_set_aside_are_listed_and_replayed() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    let refuse = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'no reason that is known'; END $$";
    rollcall.database.execute(refuse).await;
    let trigger =
        "CREATE TRIGGER poison BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse()";
    rollcall.database.execute(trigger).await;
    let event = json!({"event_id": "1", "type": "login", "session_id": "s", "user": "user_4", "occurred_at": "2025-02-13T10:00:00Z"});
    assert_eq!(rollcall.send(&source, &event).await.status(), 200);
    assert_eq!(
        run(&rollcall, "operator", &["source", "list"])[0]["set_aside"],
        1
    );
    let refused = run(&rollcall, "ingestion", &["source", "replay", &source]);
    assert_eq!(
        (&refused["replayed"], &refused["still_refused"]),
        (&json!(0), &json!(1))
    );
    rollcall
        .database
        .execute("DROP TRIGGER poison ON events")
        .await;
    let replayed = run(&rollcall, "ingestion", &["source", "replay", &source]);
    assert_eq!(
        (&replayed["replayed"], &replayed["still_refused"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(
        run(&rollcall, "operator", &["source", "list"])[0]["set_aside"],
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_complete_through_is_taken_back() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    let event = |id: &str, complete_through: &str| json!({"event_id": id, "type": "restart", "occurred_at": "2025-02-13T10:00:00Z", "complete_through": complete_through});
    let complete_through =
        || run(&rollcall, "operator", &["source", "list"])[0]["complete_through"].clone();
    let far: Value = rollcall
        .send(&source, &event("1", "9999-12-30T00:00:00Z"))
        .await
        .json()
        .await
        .expect("JSON");
    assert_eq!(far["rejected"][0]["field"], "complete_through");
    rollcall
        .send(&source, &event("2", "2025-02-13T10:50:00Z"))
        .await;
    assert_eq!(complete_through(), "2025-02-13T10:50:00Z");
    run(
        &rollcall,
        "operator",
        &["source", "reset-complete-through", &source],
    );
    assert_eq!(complete_through(), Value::Null);
    rollcall
        .send(&source, &event("3", "2025-02-13T08:00:00Z"))
        .await;
    assert_eq!(complete_through(), "2025-02-13T08:00:00Z");
    let noted = "SELECT action AS text FROM audit_log";
    assert_eq!(
        rollcall.database.texts(noted).await,
        ["source.reset-complete-through"]
    );
}
