//! Functions that the tests of version 2 share.

use reqwest::Response;
use rollcall_test_support::Rollcall;
use serde_json::{Value, json};

pub const READ: &str = "reporting:read";

/// Sends `GET` with a token.
pub async fn get(rollcall: &Rollcall, token: &str, path: &str) -> Response {
    let url = format!("http://{}{path}", rollcall.reporting);
    let request = rollcall.http.get(url).bearer_auth(token);
    request.send().await.expect("a response")
}

/// Returns the body of a response with status 200.
pub async fn get_json(rollcall: &Rollcall, token: &str, path: &str) -> Value {
    let response = get(rollcall, token, path).await;
    let (status, body) = (response.status(), response.text().await.expect("a body"));
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).expect("JSON")
}

/// Returns an event of a session.
pub fn event(session: &str, kind: &str, user: &str, at: &str) -> Value {
    json!({
        "event_id": format!("{session} {kind} {at}"), "type": kind, "session_id": session,
        "user": user, "occurred_at": at,
    })
}

/// Returns the login and the logout of a session.
pub fn session(id: &str, user: &str, login: &str, logout: &str) -> [Value; 2] {
    [
        event(id, "login", user, login),
        event(id, "logout", user, logout),
    ]
}

/// Starts the services in a time zone, records events, and signs in.
pub async fn with_events(zone: &str, events: &[Value]) -> (Rollcall, String) {
    let rollcall = Rollcall::builder().await.time_zone(zone).start();
    let key = rollcall.source().await;
    send(&rollcall, &key, events).await;
    let token = rollcall.token(READ).await;
    (rollcall, token)
}

/// Records events of a source.
pub async fn send(rollcall: &Rollcall, key: &str, events: &[Value]) {
    let result = rollcall.send(key, &json!(events)).await;
    let result: Value = result.json().await.expect("JSON");
    assert_eq!(result["accepted"], json!(events.len()), "{result}");
}
