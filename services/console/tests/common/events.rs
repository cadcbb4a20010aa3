//! Events and mappings for the pages of attendance.

use rollcall_test_support::Rollcall;
use serde_json::{Value, json};

/// Returns an event of the realm `Default`.
pub fn event(session: &str, kind: &str, user: &str, at: &str) -> Value {
    json!({
        "event_id": format!("{session}-{kind}-{at}"),
        "type": kind,
        "session_id": session,
        "user": user,
        "occurred_at": at,
    })
}

/// Returns a login and a logout.
pub fn stay(session: &str, user: &str, from: &str, to: &str) -> [Value; 2] {
    [
        event(session, "login", user, from),
        event(session, "logout", user, to),
    ]
}

/// Sends events as a new source, which is called `name`.
pub async fn send(rollcall: &Rollcall, name: &str, events: &[Value]) {
    let key = rollcall.source().await;
    let answer = rollcall.send(&key, &json!(events)).await;
    let answer: Value = answer.json().await.expect("JSON");
    assert_eq!(answer["accepted"], events.len(), "{answer}");
    let rename = format!("UPDATE sources SET name = '{name}' WHERE name = '{key}'");
    rollcall.database.execute(&rename).await;
}

/// Maps a user of the realm `Default` to an employee.
pub async fn map(rollcall: &Rollcall, user: &str, employee: &str) {
    let add = format!(
        "INSERT INTO employee_mappings (person_id, employee_id)
         SELECT id, '{employee}' FROM persons WHERE normalized_user = '{user}'"
    );
    rollcall.database.execute(&add).await;
}
