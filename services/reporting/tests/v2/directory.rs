//! Persons, employees, calendars, sources, and who is connected now.

use rollcall_test_support::{Rollcall, snapshot};
use serde_json::{Value, json};

use crate::support::{READ, event, get, get_json, send, session, with_events};

/// Services in Asia/Kolkata with two persons of one employee and one person without.
async fn directory() -> (Rollcall, String) {
    let rollcall = Rollcall::builder().await.time_zone("Asia/Kolkata").start();
    let key = rollcall.source().await;
    let rename = format!(
        "UPDATE sources SET name = 'gw', created_at = '2025-01-01' \
        WHERE name = '{key}'"
    );
    rollcall.database.execute(&rename).await;
    let mut events = session("a", "Amy", "2025-01-01T04:00:00Z", "2025-01-01T12:00:00Z").to_vec();
    events.extend(session(
        "b",
        "amy.b",
        "2025-02-01T04:00:00Z",
        "2025-02-01T12:00:00Z",
    ));
    let mut open = event("c", "login", "cid", "2025-02-13T09:00:00Z");
    open["client_ip"] = json!("10.0.0.4");
    open["complete_through"] = json!("2025-02-13T08:00:00Z");
    events.push(open);
    let mut active = event("c", "active", "cid", "2025-02-13T10:00:00Z");
    active["wan_ip"] = json!("192.0.2.4");
    events.push(active);
    send(&rollcall, &key, &events).await;
    let night = "INSERT INTO calendars VALUES ('night', 'Europe/Berlin', '18:30')";
    rollcall.database.execute(night).await;
    rollcall
        .database
        .execute(
            "INSERT INTO employee_mappings (person_id, employee_id, calendar, valid_from, valid_to)
             SELECT id, 'E1', nullif(calendar, ''), valid_from, valid_to
             FROM (VALUES
                 ('amy', '', date '-infinity', date '2025-01-31'),
                 ('amy', 'night', '2025-02-01', 'infinity'),
                 ('amy.b', '', '-infinity', '2025-01-31')
             ) AS given (name, calendar, valid_from, valid_to)
             JOIN persons ON normalized_user = name",
        )
        .await;
    let token = rollcall.token(READ).await;
    (rollcall, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn people_have_their_present_employee_and_calendar() {
    let (rollcall, token) = directory().await;
    let all = get_json(&rollcall, &token, "/api/v2/people").await;
    insta::assert_json_snapshot!(all);
    let users = async |query: &str| {
        let list = get_json(&rollcall, &token, &format!("/api/v2/people?{query}")).await;
        let data = list["data"].as_array().expect("a list").iter();
        data.map(|item| item["user"].as_str().expect("a user").to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(users("unmapped=true").await, "amy.b cid");
    assert_eq!(users("unmapped=false").await, "Amy");
    assert_eq!(users("employee_id=E1").await, "Amy");
    // The login of amy.b is at 09:30 on 1 February in Asia/Kolkata.
    assert_eq!(users("without_sessions_since=2025-02-01").await, "Amy");
    assert_eq!(
        users("without_sessions_since=2025-02-02").await,
        "Amy amy.b"
    );
    assert_eq!(users("user=AMY.B&realm=default").await, "amy.b");
    let first = get_json(&rollcall, &token, "/api/v2/people?limit=2").await;
    let cursor = first["next"].as_str().expect("a cursor");
    assert_eq!(users(&format!("limit=2&cursor={cursor}")).await, "cid");
}

#[tokio::test(flavor = "multi_thread")]
async fn employees_have_their_persons_and_validity() {
    let (rollcall, token) = directory().await;
    let all = get_json(&rollcall, &token, "/api/v2/employees").await;
    insta::assert_json_snapshot!(all);
    let number = async |query: &str| {
        let list = get_json(&rollcall, &token, &format!("/api/v2/employees?{query}")).await;
        list["data"].as_array().expect("a list").len()
    };
    assert_eq!(number("without_sessions_since=2025-01-01").await, 0);
    // amy.b, who logged in on 1 February, belonged to the employee until 31 January.
    assert_eq!(number("without_sessions_since=2025-01-02").await, 1);
    assert_eq!(number("employee_id=E2").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn calendars_include_the_default() {
    let (rollcall, token) = directory().await;
    let all = get_json(&rollcall, &token, "/api/v2/calendars").await;
    insta::assert_json_snapshot!(all);
    let first = get_json(&rollcall, &token, "/api/v2/calendars?limit=1").await;
    let cursor = first["next"].as_str().expect("a cursor");
    let path = format!("/api/v2/calendars?limit=1&cursor={cursor}");
    let second = get_json(&rollcall, &token, &path).await;
    assert_eq!(json!([first["data"][0], second["data"][0]]), all["data"]);
    assert_eq!(second["next"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_say_how_complete_they_are() {
    let (rollcall, token) = directory().await;
    for statement in [
        "INSERT INTO sources (name, key_hash, created_at, imports_only, assume_complete_seconds)
         VALUES ('files', 'x', '2025-01-01', true, NULL),
             ('radius', 'y', '2025-01-01', false, 86400)",
        "INSERT INTO source_gaps
         SELECT id, '2025-02-12', '2025-02-12 01:00Z' FROM sources WHERE name = 'radius'",
        "INSERT INTO rejected_inputs (source_id, receiver, reason, count, sample)
         SELECT id, 'radius', 'bad', 3, '' FROM sources WHERE name = 'radius'",
    ] {
        rollcall.database.execute(statement).await;
    }
    let mut all = get_json(&rollcall, &token, "/api/v2/sources").await;
    for source in all["data"].as_array_mut().expect("a list") {
        if !source["last_received"].is_null() {
            source["last_received"] = json!("[last_received]");
        }
    }
    insta::assert_json_snapshot!(all);
}

#[tokio::test(flavor = "multi_thread")]
async fn live_lists_open_sessions_with_the_latest_address() {
    let (rollcall, token) = directory().await;
    let mut all = get_json(&rollcall, &token, "/api/v2/live?time_zone=UTC").await;
    all["data"][0]["id"] = json!("[id]");
    insta::assert_json_snapshot!(all);
    let none = get_json(&rollcall, &token, "/api/v2/live?user=amy").await;
    assert_eq!(none["data"], json!([]));
    // The session is closed by timeout a day after its last activity.
    rollcall.clock.advance(24 * 60 * 60);
    let token = rollcall.token(READ).await;
    let none = get_json(&rollcall, &token, "/api/v2/live").await;
    assert_eq!(none["data"], json!([]));
}

/// A session without a logout stays open when its correlation key is used again.
#[tokio::test(flavor = "multi_thread")]
async fn live_shows_no_address_of_another_session_with_the_same_correlation_key() {
    let login = |user: &str, at: &str, client_ip: &str| {
        json!({"event_id": user, "type": "login", "correlation_key": "4711", "user": user,
            "occurred_at": at, "client_ip": client_ip})
    };
    let events = [
        login("amy", "2025-02-13T09:00:00Z", "10.0.0.4"),
        login("bob", "2025-02-13T09:30:00Z", "10.0.0.5"),
    ];
    let (rollcall, token) = with_events("UTC", &events).await;
    let all = get_json(&rollcall, &token, "/api/v2/live").await;
    let sessions = all["data"].as_array().expect("a list").iter();
    let addresses = sessions.map(|session| json!([session["user"], session["client_ip"]]));
    assert_eq!(
        addresses.collect::<Vec<_>>(),
        [json!(["amy", "10.0.0.4"]), json!(["bob", "10.0.0.5"])]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_parameters_get_400_that_names_them() {
    let rollcall = Rollcall::start().await;
    let token = rollcall.token(READ).await;
    let mut answers = Vec::new();
    for path in [
        "people?unmapped=x&without_sessions_since=2025-02-30&open=true",
        "employees?without_sessions_since=1999-01-01&unmapped=true",
        "calendars?user=amy",
        "sources?time_zone=Mars",
        "live?limit=10001&cursor=x",
        "exceptions?start_date=2025-01-01&end_date=2025-01-01&kind=other&calendar=assigned",
        "exceptions?start_date=2025-01-01&end_date=2024-01-01&kind=other",
    ] {
        let answer = get(&rollcall, &token, &format!("/api/v2/{path}")).await;
        answers.push(format!("{path}\n{}", snapshot::of(answer).await));
    }
    insta::assert_snapshot!(answers.join("\n\n"));
}
