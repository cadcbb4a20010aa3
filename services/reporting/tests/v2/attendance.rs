//! Rows of `/api/v2/attendance` in pages of JSON.

use rollcall_test_support::snapshot;
use serde_json::{Value, json};

use crate::support::{event, get, get_json, session, with_events};

fn two_days() -> Vec<Value> {
    [
        session(
            "1",
            "user_4",
            "2025-01-01T15:30:00.9+05:30",
            "2025-01-01T21:10:00.9+05:30",
        ),
        session(
            "2",
            "user_4",
            "2025-01-02T15:30:00+05:30",
            "2025-01-02T16:30:00+05:30",
        ),
        session(
            "3",
            "All Users",
            "2025-01-01T10:00:00+05:30",
            "2025-01-01T11:00:00+05:30",
        ),
    ]
    .concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn page_has_the_format_of_the_contract() {
    let (rollcall, token) = with_events("Asia/Kolkata", &two_days()).await;
    let path = "/api/v2/attendance?start_date=2025-01-01&end_date=2025-01-01";
    let by_day = snapshot::of(get(&rollcall, &token, path).await).await;
    let path = "/api/v2/attendance?start_date=2025-01-01&end_date=2025-01-31&group_by=period";
    let by_period = snapshot::of(get(&rollcall, &token, path).await).await;
    insta::assert_snapshot!(format!("{by_day}\n\n{by_period}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn user_called_all_users_is_an_ordinary_name() {
    let (rollcall, token) = with_events("Asia/Kolkata", &two_days()).await;
    let path = "/api/v2/attendance?start_date=2025-01-01&end_date=2025-01-31&user=all+users";
    let page = get_json(&rollcall, &token, path).await;
    let users = page["data"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| &row["user"]);
    assert_eq!(users.collect::<Vec<_>>(), ["All Users"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_filters_are_combined_with_or_and_different_ones_with_and() {
    let mut elsewhere = event("2", "login", "bob", "2025-01-02T09:00:00Z");
    elsewhere["realm"] = json!("Berlin");
    let events = [
        event("1", "login", "Bob", "2025-01-02T08:00:00Z"),
        elsewhere,
        event("3", "login", "eve", "2025-01-02T08:00:00Z"),
    ];
    let (rollcall, token) = with_events("UTC", &events).await;
    for (filters, expected) in [
        ("", 3),
        ("&user=BOB", 2),
        ("&user=bob&user=EVE", 3),
        ("&user=bob&realm=berlin", 1),
        ("&realm=berlin&realm=default", 3),
        ("&user=eve&realm=berlin", 0),
        ("&employee_id=E-1", 0),
    ] {
        let path = format!("/api/v2/attendance?start_date=2025-01-02&end_date=2025-01-02{filters}");
        let page = get_json(&rollcall, &token, &path).await;
        assert_eq!(
            page["data"].as_array().map(Vec::len),
            Some(expected),
            "{filters}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calendar_decides_the_day_and_the_offset() {
    let (rollcall, token) = with_events("Asia/Kolkata", &two_days()).await;
    rollcall
        .database
        .execute(
            "INSERT INTO calendars (name, time_zone, start_of_day)
            VALUES ('night', 'Europe/Berlin', '12:00:00')",
        )
        .await;
    let mut answers = Vec::new();
    for calendar in [
        "",
        "&calendar=default",
        "&calendar=night",
        "&calendar=assigned",
        "&time_zone=america/new_york",
        "&start_of_day=16:00:00",
    ] {
        let path = format!(
            "/api/v2/attendance?start_date=2025-01-01&end_date=2025-01-01&user=user_4{calendar}"
        );
        let page = get_json(&rollcall, &token, &path).await;
        let logins = page["data"]
            .as_array()
            .expect("rows")
            .iter()
            .map(|row| &row["first_login"]);
        let logins: Vec<_> = logins.collect();
        let calendar = [&page["calendar"], &page["time_zone"], &page["start_of_day"]];
        answers.push(format!("{} {}", json!(calendar), json!(logins)));
    }
    insta::assert_snapshot!(answers.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn page_is_compressed_only_when_asked_for() {
    let (rollcall, token) = with_events("Asia/Kolkata", &two_days()).await;
    let url = format!(
        "http://{}/api/v2/attendance?start_date=2025-01-01&end_date=2025-01-01",
        rollcall.reporting
    );
    let mut answers = Vec::new();
    for accepted in ["gzip", "zstd", "identity", "br;q=1, *;q=0"] {
        let request = rollcall.http.get(&url).bearer_auth(&token);
        let request = request.header("accept-encoding", accepted);
        let answer = request.send().await.expect("a response");
        let encoding = answer.headers().get("content-encoding").cloned();
        answers.push(format!("{accepted}: {} {encoding:?}", answer.status()));
    }
    insta::assert_snapshot!(answers.join("\n"), @r#"
    gzip: 200 OK Some("gzip")
    zstd: 200 OK Some("zstd")
    identity: 200 OK None
    br;q=1, *;q=0: 406 Not Acceptable None
    "#);
}
