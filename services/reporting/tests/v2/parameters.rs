//! Invalid parameters get 400 that names each of them.

use rollcall_test_support::{Rollcall, snapshot};
use serde_json::{Value, json};

use crate::support::{READ, get};

const DATES: &str = "start_date=2025-01-01&end_date=2025-01-31";

/// Returns the errors of a request with these parameters.
async fn errors(rollcall: &Rollcall, token: &str, query: &str) -> String {
    let answer = get(rollcall, token, &format!("/api/v2/attendance?{query}")).await;
    let status = answer.status();
    let body: Value = answer.json().await.unwrap_or_default();
    let errors = body["errors"].as_array().cloned().unwrap_or_default();
    let lines = errors
        .iter()
        .map(|error| format!("{}: {}", error["field"], error["message"]));
    let lines: Vec<String> = lines.collect();
    format!("{query}\n{status}\n{}", lines.join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn all_errors_of_a_request_are_reported_together() {
    let rollcall = Rollcall::start().await;
    let token = rollcall.token(READ).await;
    let query = "end_date=2025-02-30&limit=0&limit=1&as_of=now&Start_Date=2025-01-01";
    let answer = get(&rollcall, &token, &format!("/api/v2/attendance?{query}")).await;
    insta::assert_snapshot!(snapshot::of(answer).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_value_gets_400_that_names_the_parameter() {
    let rollcall = Rollcall::start().await;
    let token = rollcall.token(READ).await;
    let mut answers = Vec::new();
    for query in [
        "calendar=",
        "calendar=nowhere",
        "calendar=default&time_zone=UTC",
        "calendar=default&start_of_day=00:00:00",
        "time_zone=Mars/Olympus",
        "time_zone=UTC&start_of_day=24:00:00",
        "start_of_day=9:00",
        "user=",
        "user=%00",
        "user=%FF",
        "realm=a&realm=",
        "employee_id=%0A",
        "group_by=week",
        "group_by=day&group_by=period",
        "subject=",
        "attribution=LOGIN",
        "include=everything",
        "limit=0",
        "limit=10001",
        "limit=-1",
        "limit=+5",
        "limit=99999999999999999999",
        "cursor=x",
        "unknown=1&unknown=2",
    ] {
        answers.push(errors(&rollcall, &token, &format!("{DATES}&{query}")).await);
    }
    for query in [
        "",
        "start_date=2025-01-01",
        "start_date=2025-02-29&end_date=01-31-2025",
        "start_date=2025-02-01&end_date=2025-01-31",
        "start_date=2024-01-01&end_date=2025-01-01",
        "start_date=2025-02-01&end_date=2025-01-31&limit=x",
        "start_date=9999-12-31&end_date=9999-12-31",
    ] {
        answers.push(errors(&rollcall, &token, query).await);
    }
    insta::assert_snapshot!(answers.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_unknown_parameters_get_a_response_of_moderate_size() {
    let rollcall = Rollcall::start().await;
    let token = rollcall.token(READ).await;
    let unknown: String = (0..500).map(|n| format!("&x{n}")).collect();
    let answer = get(
        &rollcall,
        &token,
        &format!("/api/v2/attendance?{DATES}{unknown}"),
    )
    .await;
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(body["errors"].as_array().map(Vec::len), Some(500));
    assert_eq!(
        body["detail"],
        json!("500 parameters are invalid: see errors.")
    );
    assert!(body.to_string().len() < 50_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_recorded_in_the_audit_log() {
    let rollcall = Rollcall::start().await;
    let token = rollcall.token(READ).await;
    let path = format!("/api/v2/attendance?{DATES}&user=a+b&user=%C3%A9&realm=Sales");
    assert_eq!(get(&rollcall, &token, &path).await.status(), 200);
    let entries = "SELECT detail::text AS text FROM audit_log WHERE action = 'v2.attendance'";
    let entries = rollcall.database.texts(entries).await;
    let details: Vec<Value> = entries
        .iter()
        .map(|entry| serde_json::from_str(entry).expect("JSON"))
        .collect();
    let expected = json!({
        "start_date": "2025-01-01", "end_date": "2025-01-31", "user": ["a b", "é"],
        "realm": "Sales",
    });
    assert_eq!(details, [expected]);
}
