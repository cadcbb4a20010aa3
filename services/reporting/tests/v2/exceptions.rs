//! Exceptions. The tests of `rollcall_store` compare them with an oracle.

use rollcall_test_support::Rollcall;
use serde_json::{Value, json};

use crate::support::{READ, event, get_json, send, session};

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_exception_has_a_sentence() {
    let rollcall = Rollcall::builder().await.time_zone("Asia/Kolkata").start();
    let (first, second) = (rollcall.source().await, rollcall.source().await);
    for (name, key) in [("gw-1", &first), ("gw-2", &second)] {
        let rename = format!(
            "UPDATE sources SET name = '{name}', created_at = '2025-01-01' \
            WHERE name = '{key}'"
        );
        rollcall.database.execute(&rename).await;
    }
    let mut events = session("two", "amy", "2025-02-11T04:00:00Z", "2025-02-11T12:00:00Z").to_vec();
    events.push(event("silent", "login", "bob", "2025-02-11T04:00:00Z"));
    events.push(event("no login", "logout", "cid", "2025-02-11T05:00:00Z"));
    events.extend(session(
        "long",
        "dan",
        "2025-02-11T04:00:00Z",
        "2025-02-12T05:30:00Z",
    ));
    events[0]["complete_through"] = json!("2025-02-11T12:00:00Z");
    send(&rollcall, &first, &events).await;
    let late = event("two", "active", "amy", "2025-02-11T10:00:00Z");
    send(&rollcall, &first, &[late]).await;
    let mut other_realm = event("realm", "login", "amy", "2025-02-11T11:00:00Z");
    other_realm["realm"] = json!("Sales");
    let mut events = session(
        "at once",
        "amy",
        "2025-02-11T05:00:00Z",
        "2025-02-11T06:00:00Z",
    )
    .to_vec();
    events.push(other_realm);
    events.push(json!({"event_id": "restart", "type": "restart",
        "occurred_at": "2025-02-11T11:30:00Z"}));
    send(&rollcall, &second, &events).await;
    rollcall
        .database
        .execute(
            "INSERT INTO employee_mappings (person_id, employee_id)
             SELECT id, 'E1' FROM persons WHERE normalized_user IN ('bob', 'cid', 'dan')",
        )
        .await;
    let token = rollcall.token(READ).await;
    let path = "/api/v2/exceptions?start_date=2025-02-11&end_date=2025-02-11";
    let mut all = get_json(&rollcall, &token, path).await;
    for item in all["data"].as_array_mut().expect("a list") {
        if !item["session"].is_null() {
            item["session"] = json!("[session]");
        }
        if matches!(
            item["kind"].as_str(),
            Some("changed_after_final" | "clock_skew")
        ) {
            item["at"] = json!("[at]");
        }
    }
    insta::assert_json_snapshot!(all);

    let kinds = async |query: &str| {
        let list = get_json(&rollcall, &token, &format!("{path}&{query}")).await;
        let data = list["data"].as_array().expect("a list").clone();
        data.iter()
            .map(|item| item["kind"].clone())
            .collect::<Vec<Value>>()
    };
    assert_eq!(kinds("user=BOB").await, ["closed_by_timeout"]);
    assert_eq!(
        kinds("kind=logout_without_login").await,
        ["logout_without_login"]
    );
    // In New York the session without a logout began on the day before.
    assert_eq!(
        kinds("user=bob&time_zone=America/New_York").await,
        Vec::<Value>::new()
    );
}
