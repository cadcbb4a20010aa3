//! Employees and their sessions.

use serde_json::{Value, json};

use crate::{rollcall_json, send};

/// Maps users to employees by `scripts/rollcall employee import`, from the first to the last day.
/// Without a last day they stay mapped.
pub fn import([valid_from, valid_to]: [&str; 2], mappings: &[(&str, &str)]) {
    let file = std::env::temp_dir().join(format!("employees-{}.csv", uuid::Uuid::new_v4()));
    let head = "user,realm,employee_id,calendar,valid_from,valid_to".to_owned();
    let lines = mappings
        .iter()
        .map(|(user, employee)| format!("{user},,{employee},,{valid_from},{valid_to}"));
    let text: Vec<String> = std::iter::once(head).chain(lines).collect();
    std::fs::write(&file, text.join("\n")).expect("written");
    let path = file.to_str().expect("a path");
    let result = rollcall_json(&["employee", "import", path]);
    std::fs::remove_file(&file).expect("removed");
    assert_eq!(result["rejected"], 0, "{result}");
}

/// Returns the login and, if there is an end, the logout of a session.
pub fn session(user: &str, login: &str, logout: Option<&str>, active: Option<i64>) -> Vec<Value> {
    let id = format!("{user} {login}");
    let event = |kind: &str, at: &str| {
        json!({
            "event_id": format!("{id} {kind}"),
            "type": kind,
            "session_id": id,
            "user": user,
            "occurred_at": at,
            "active_seconds": active,
        })
    };
    let mut events = vec![event("login", login)];
    events.extend(logout.map(|at| event("logout", at)));
    events
}

/// Sends events, which must all be accepted.
pub fn record(key: &str, events: &[Value]) {
    let result = send(key, &json!(events));
    assert_eq!(result.json()["accepted"], events.len(), "{result:?}");
}
