//! Sessions and the events behind them.

use rollcall_test_support::{Rollcall, snapshot};
use serde_json::{Value, json};

use crate::support::{READ, event, get, get_json, session, with_events};

const DAY: &str = "start=2025-01-01T00:00:00%2B05:30&end=2025-01-02T00:00:00%2B05:30";

/// Masks what differs between runs: IDs, and the names of sources.
fn masked(mut list: Value) -> Value {
    for item in list["data"].as_array_mut().expect("a list") {
        for name in ["id", "source", "session", "received_at"] {
            if let Some(value) = item.get_mut(name)
                && !value.is_null()
            {
                *value = json!(format!("[{name}]"));
            }
        }
    }
    list
}

/// A session, an open one, one without a login, and a derived login, in Asia/Kolkata.
async fn four_sessions() -> (Rollcall, String) {
    let mut events = session("a", "Amy", "2025-01-01T04:00:00Z", "2025-01-01T12:00:00Z").to_vec();
    events.push(event("b", "login", "bob", "2025-01-01T18:29:59Z"));
    events.push(event("c", "logout", "cid", "2025-01-01T06:00:00Z"));
    let mut derived = event("d", "logout", "dan", "2025-01-01T09:00:00Z");
    derived["duration_seconds"] = json!(3600);
    events.push(derived);
    let next_day = event("e", "login", "amy", "2025-01-01T18:30:00Z");
    events.push(next_day);
    let (rollcall, token) = with_events("Asia/Kolkata", &events[..4]).await;
    let key = rollcall.source().await;
    crate::support::send(&rollcall, &key, &events[5..]).await;
    let derived = rollcall.send(&key, &events[4]).await;
    assert_eq!(derived.status(), 200);
    (rollcall, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_a_period_begin_with_their_login_or_first_event() {
    let (rollcall, token) = four_sessions().await;
    let list = get_json(&rollcall, &token, &format!("/api/v2/sessions?{DAY}")).await;
    insta::assert_json_snapshot!(masked(list));
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_select_sessions_by_person_employee_source_and_end() {
    let (rollcall, token) = four_sessions().await;
    // The mapping of amy is valid on 1 January only, in the zone of the calendar.
    let map = "INSERT INTO employee_mappings (person_id, employee_id, valid_from, valid_to)
        SELECT id, 'E1', '2025-01-01', '2025-01-01' FROM persons WHERE normalized_user = 'amy'";
    rollcall.database.execute(map).await;
    let both = "start=2025-01-01T00:00:00Z&end=2025-01-03T00:00:00Z";
    let users = async |filter: &str| {
        let path = format!("/api/v2/sessions?{both}&{filter}");
        let list = get_json(&rollcall, &token, &path).await;
        let data = list["data"].as_array().expect("a list").clone();
        let users = data
            .iter()
            .map(|item| item["user"].as_str().unwrap_or("-").to_owned());
        users.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(users("user=AMY").await, "amy amy");
    assert_eq!(users("employee_id=E1").await, "amy");
    assert_eq!(users("user=bob&user=dan").await, "dan bob");
    assert_eq!(users("user=bob&realm=other").await, "");
    assert_eq!(users("source=unknown").await, "");
    assert_eq!(users("open=true").await, "");
    // Less than an hour before the present time of the test.
    let open = event("g", "login", "fay", "2025-01-02T10:00:00Z");
    let key = rollcall.source().await;
    crate::support::send(&rollcall, &key, &[open]).await;
    let extend =
        "UPDATE sessions SET last_activity_at = '2025-02-13 10:00Z' WHERE session_id = 'g'";
    rollcall.database.execute(extend).await;
    assert_eq!(users("open=true").await, "fay");
    assert_eq!(users("open=false").await, "amy cid dan bob amy");
}

#[tokio::test(flavor = "multi_thread")]
async fn cursor_continues_after_the_last_session_while_others_are_added() {
    let (rollcall, token) = four_sessions().await;
    let path = format!("/api/v2/sessions?{DAY}&limit=2");
    let first = get_json(&rollcall, &token, &path).await;
    let early = session("f", "eve", "2025-01-01T03:00:00Z", "2025-01-01T03:30:00Z");
    let key = rollcall.source().await;
    crate::support::send(&rollcall, &key, &early).await;
    let cursor = first["next"].as_str().expect("a cursor");
    let second = get_json(&rollcall, &token, &format!("{path}&cursor={cursor}")).await;
    let users = |page: &Value| {
        let data = page["data"].as_array().expect("a list").iter();
        data.map(|item| item["user"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(users(&first), ["amy", "cid"]);
    assert_eq!(users(&second), ["dan", "bob"]);
    assert_eq!(second["next"], Value::Null);
    let other = format!("/api/v2/sessions?{DAY}&user=amy&cursor={cursor}");
    assert_eq!(get(&rollcall, &token, &other).await.status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_session_are_its_evidence_in_order() {
    let rollcall = Rollcall::builder().await.time_zone("Asia/Kolkata").start();
    let key = rollcall.source().await;
    rollcall.set_name_rules(&key, &["split=down_level"]).await;
    let events = json!([
        {"event_id": "e2", "type": "logout", "session_id": "s", "user": "CORP\\amy",
         "occurred_at": "2025-01-01T12:00:00Z", "reason": "User-Request", "active_seconds": 600,
         "duration_seconds": 7200, "complete_through": "2025-01-01T12:30:00Z"},
        {"event_id": "e1", "type": "login", "session_id": "s", "user": "CORP\\amy",
         "occurred_at": "2025-01-01T10:30:00Z", "client_ip": "10.0.0.4", "wan_ip": "192.0.2.4",
         "mac": "00-00-5E-00-53-01", "device": "Windows 11", "display_name": "Amy"},
        {"event_id": "other", "type": "login", "session_id": "s2", "user": "bob",
         "occurred_at": "2025-01-01T10:30:00Z"},
    ]);
    let sent: Value = rollcall
        .send(&key, &events)
        .await
        .json()
        .await
        .expect("JSON");
    assert_eq!(sent["rejected"], json!([]), "{sent}");
    // This source counts as complete through the time of this event.
    let late = json!({"event_id": "e3", "type": "active", "session_id": "s", "user": "CORP\\amy",
        "occurred_at": "2025-01-01T11:00:00Z"});
    rollcall
        .database
        .execute("UPDATE sources SET created_at = '2025-01-01'")
        .await;
    rollcall.send(&key, &late).await;
    let token = rollcall.token(READ).await;
    let path = format!("/api/v2/sessions?{DAY}&user=amy");
    let sessions = get_json(&rollcall, &token, &path).await;
    let id = sessions["data"][0]["id"].as_str().expect("an ID");
    let path = format!("/api/v2/sessions/{id}/events");
    let all = get_json(&rollcall, &token, &path).await;
    insta::assert_json_snapshot!(masked(all.clone()));
    let mut paged = Vec::new();
    let mut next = format!("{path}?limit=1");
    loop {
        let page = get_json(&rollcall, &token, &next).await;
        paged.extend(page["data"].as_array().expect("a list").clone());
        let Some(cursor) = page["next"].as_str() else {
            break;
        };
        next = format!("{path}?limit=1&cursor={cursor}");
    }
    assert_eq!(json!(paged), all["data"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_with_a_correlation_key_belong_to_the_session_they_are_assigned_to() {
    let line = |id: &str, kind: &str, at: &str| {
        json!({"event_id": id, "type": kind, "correlation_key": "10.0.0.4", "user": "amy",
            "occurred_at": at})
    };
    let events = [
        line("a1", "login", "2025-01-01T04:00:00Z"),
        line("a2", "logout", "2025-01-01T05:00:00Z"),
        line("b1", "login", "2025-01-01T06:00:00Z"),
    ];
    let (rollcall, token) = with_events("Asia/Kolkata", &events).await;
    let sessions = get_json(&rollcall, &token, &format!("/api/v2/sessions?{DAY}")).await;
    let mut ids = Vec::new();
    for session in sessions["data"].as_array().expect("a list") {
        let id = session["id"].as_str().expect("an ID");
        let events = get_json(&rollcall, &token, &format!("/api/v2/sessions/{id}/events")).await;
        let events = events["data"].as_array().expect("a list").iter();
        ids.push(
            events
                .map(|event| event["event_id"].clone())
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(ids, [vec!["a1", "a2"], vec!["b1"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_session_and_invalid_parameters_get_problem_details() {
    let rollcall = Rollcall::start().await;
    let token = rollcall.token(READ).await;
    let mut answers = Vec::new();
    for path in [
        "sessions",
        "sessions?start=2025-01-01&end=2025-01-01T00:00:00+05:30&open=maybe&kind=x&limit=0",
        "sessions?start=2025-01-02T00:00:00Z&end=2025-01-01T00:00:00Z",
        "sessions?start=2020-01-01T00:00:00Z&end=2025-01-01T00:00:00Z",
        "sessions?start=2025-01-01T00:00:00Z&end=9999-12-30T00:00:00Z",
        "sessions?start=-004800-01-01T00:00:00Z&end=-004800-01-02T00:00:00Z",
        "sessions/MS5hYmM/events",
        "sessions/x/events",
        "sessions/MS5hYmM/events?cursor=x&user=amy",
    ] {
        let answer = get(&rollcall, &token, &format!("/api/v2/{path}")).await;
        answers.push(format!("{path}\n{}", snapshot::of(answer).await));
    }
    insta::assert_snapshot!(answers.join("\n\n"));
}
