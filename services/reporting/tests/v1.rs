//! Reports in the format of KB008.

use reqwest::header;
use rollcall_test_support::{Rollcall, TestDatabase, snapshot};
use serde_json::{Value, json};

const READ: &str = "reporting:read";

fn event(session: &str, kind: &str, user: &str, at: &str) -> Value {
    json!({"event_id": format!("{session} {kind} {user} {at}"), "type": kind, "session_id": session, "user": user, "occurred_at": at})
}

#[allow(clippy::needless_pass_by_value, reason = "called with literals")]
fn filters(change: Value) -> Value {
    let mut filters = json!({"StartDate": "2025-01-01", "EndDate": "2025-01-31", "UserName": "All Users", "StartOfDay": "00:00:00", "RequestDate": "2025-02-01"});
    for (name, value) in change.as_object().cloned().unwrap_or_default() {
        if value.is_null() {
            filters.as_object_mut().expect("an object").remove(&name);
        } else {
            filters[&name] = value;
        }
    }
    filters
}

async fn with_events(zone: &str, events: &[Value]) -> (Rollcall, String) {
    let rollcall = Rollcall::builder().await.time_zone(zone).start();
    let key = rollcall.source().await;
    let result: Value = rollcall
        .send(&key, &json!(events))
        .await
        .json()
        .await
        .expect("JSON");
    assert_eq!(result["accepted"], json!(events.len()), "{result}");
    let token = rollcall.token(READ).await;
    (rollcall, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn report_has_the_format_of_kb008() {
    let events = [
        event("s1", "login", "user_4", "2025-01-01T15:30:00.999+05:30"),
        event("s1", "logout", "user_4", "2025-01-01T21:10:00.999+05:30"),
    ];
    let (rollcall, token) = with_events("Asia/Kolkata", &events).await;
    let answer = rollcall.report(&token, &filters(json!({}))).await;
    insta::assert_snapshot!(snapshot::of(answer).await);
    let body = rollcall
        .report(&token, &filters(json!({})))
        .await
        .text()
        .await
        .expect("a body");
    assert_eq!(
        body,
        r#"{"statusCode":200,"statusMessage":"Data fetched successfully","responseDate":"2025-02-13T10:53:56.3567560Z","data":[{"UserID":"user_4","Realm":"Default","FirstLoginDateTime":"2025-01-01 15:30:00","LastLogoutDateTime":"2025-01-01 21:10:00"}]}"#
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn report_has_one_row_per_user_and_realm_sorted_with_the_latest_display_form() {
    let in_realm = |session: &str, user: &str, realm: &str, at: &str| {
        let mut event = event(session, "login", user, at);
        event["realm"] = json!(realm);
        event
    };
    let events = [
        in_realm("1", "Zoë", "Sales", "2025-01-02T08:00:00Z"),
        in_realm("2", "bob", "Sales", "2025-01-02T09:00:00Z"),
        in_realm("3", "BOB", "sales", "2025-01-03T09:00:00Z"),
        in_realm("4", "Bob", "Berlin", "2025-01-02T10:00:00Z"),
        in_realm("5", "Bob", "SALES", "2024-12-02T10:00:00Z"),
        event("6", "login", "bob", "2025-01-02T07:00:00Z"),
        // This event is after the period, and its form of the name is the one that is shown.
        in_realm("7", "boB", "Berlin", "2025-02-02T07:00:00Z"),
        in_realm("8", "émile", "sales", "2025-01-04T07:00:00Z"),
    ];
    let (rollcall, token) = with_events("UTC", &events).await;
    insta::assert_json_snapshot!(
        rollcall
            .rows(&token, "2025-01-01", "2025-01-31", "00:00:00")
            .await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn night_shift_belongs_to_the_day_in_which_it_began() {
    let events = [
        event("night", "login", "guard", "2025-01-10T22:00:00Z"),
        event("night", "logout", "guard", "2025-01-11T06:30:00Z"),
        event("next", "login", "guard", "2025-01-11T22:00:00Z"),
        event("next", "logout", "guard", "2025-01-12T06:00:00Z"),
    ];
    let (rollcall, token) = with_events("UTC", &events).await;
    let first = json!([{"UserID": "guard", "Realm": "Default", "FirstLoginDateTime": "2025-01-10 22:00:00", "LastLogoutDateTime": "2025-01-11 06:30:00"}]);
    assert_eq!(
        rollcall
            .rows(&token, "2025-01-10", "2025-01-10", "00:00:00")
            .await,
        first
    );
    assert_eq!(
        rollcall
            .rows(&token, "2025-01-10", "2025-01-10", "22:00:00")
            .await,
        first,
        "the period includes its start"
    );
    assert_eq!(
        rollcall
            .rows(&token, "2025-01-09", "2025-01-09", "22:00:00")
            .await,
        json!([]),
        "the period excludes its end"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn logout_is_null_only_while_a_session_is_open() {
    let long_ago = "2025-01-05T17:00:00Z";
    let events = [
        event("a1", "login", "open", "2025-02-13T08:00:00Z"),
        event("a2", "login", "open", "2025-02-13T06:00:00Z"),
        event("a2", "logout", "open", "2025-02-13T07:00:00Z"),
        event("b", "login", "silent", "2025-02-12T09:00:00Z"),
        event("b", "active", "silent", "2025-02-12T10:53:56Z"),
        event("c", "login", "just-not-silent", "2025-02-12T09:00:00Z"),
        event("c", "active", "just-not-silent", "2025-02-12T10:53:57Z"),
        event("d", "login", "back-after-logout", "2025-02-13T01:00:00Z"),
        event("d", "logout", "back-after-logout", "2025-02-13T02:00:00Z"),
        event("d", "active", "back-after-logout", "2025-02-13T03:00:00Z"),
        event("e", "logout", "never-came", long_ago),
    ];
    let (rollcall, token) = with_events("UTC", &events).await;
    insta::assert_json_snapshot!(
        rollcall
            .rows(&token, "2025-01-01", "2025-02-13", "00:00:00")
            .await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_closes_open_sessions_and_later_activity_reopens_them() {
    let events = [
        event("a", "login", "before", "2025-02-13T08:00:00Z"),
        event("a", "active", "before", "2025-02-13T08:30:00Z"),
        event("b", "login", "after", "2025-02-13T09:30:00Z"),
        event("c", "login", "survivor", "2025-02-13T08:00:00Z"),
        json!({"event_id": "r", "type": "restart", "occurred_at": "2025-02-13T09:00:00Z"}),
    ];
    let (rollcall, token) = with_events("UTC", &events).await;
    let last = async || {
        let rows = rollcall
            .rows(&token, "2025-02-13", "2025-02-13", "00:00:00")
            .await;
        rows.as_array()
            .expect("rows")
            .iter()
            .map(|row| (row["UserID"].clone(), row["LastLogoutDateTime"].clone()))
            .collect::<Vec<_>>()
    };
    let ended = json!("2025-02-13 08:00:00");
    assert_eq!(
        last().await,
        [
            (json!("after"), Value::Null),
            (json!("before"), json!("2025-02-13 08:30:00")),
            (json!("survivor"), ended)
        ]
    );
    // The activity event must come from the same source. In these tests the key of a source is its
    // name.
    let source = rollcall
        .operator()
        .ask(async |connection| rollcall_store::sources::list(connection).await)
        .await
        .expect("sources")
        .remove(0)
        .name;
    rollcall
        .send(
            &source,
            &event("c", "active", "survivor", "2025-02-13T09:10:00Z"),
        )
        .await;
    assert_eq!(last().await[2], (json!("survivor"), Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_select_user_and_realm_case_insensitively() {
    let mut elsewhere = event("2", "login", "bob", "2025-01-02T09:00:00Z");
    elsewhere["realm"] = json!("Berlin");
    let events = [
        event("1", "login", "Bob", "2025-01-02T08:00:00Z"),
        elsewhere,
        event("3", "login", "eve", "2025-01-02T08:00:00Z"),
    ];
    let (rollcall, token) = with_events("UTC", &events).await;
    let count = async |change: Value| {
        let answer: Value = rollcall
            .report(&token, &filters(change))
            .await
            .json()
            .await
            .expect("JSON");
        answer["data"].as_array().map(Vec::len)
    };
    assert_eq!(count(json!({"UserName": "ALL users"})).await, Some(3));
    assert_eq!(count(json!({"UserName": "BOB"})).await, Some(2));
    assert_eq!(
        count(json!({"UserName": "BOB", "Domain": "default"})).await,
        Some(1)
    );
    assert_eq!(count(json!({"Domain": "berlin"})).await, Some(1));
    assert_eq!(count(json!({"UserName": "unknown"})).await, Some(0));
    assert_eq!(
        count(json!({"StartDate": "2024-06-01", "EndDate": "2024-06-02"})).await,
        Some(0)
    );
    assert_eq!(count(json!({"Unknown": {"field": 1}})).await, Some(3));
    assert_eq!(
        count(json!({"RequestDate": "1999-01-01"})).await,
        Some(3),
        "RequestDate selects nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_filter_gets_400_that_names_it() {
    let (rollcall, token) = with_events("UTC", &[]).await;
    let mut answers = Vec::new();
    for change in [
        json!({"StartDate": null}),
        json!({"StartDate": "2025-02-29"}),
        json!({"EndDate": "31-01-2025"}),
        json!({"EndDate": 2025}),
        json!({"StartOfDay": "24:00:00"}),
        json!({"StartOfDay": "9:00"}),
        json!({"UserName": ""}),
        json!({"UserName": null}),
        json!({"RequestDate": "today"}),
        json!({"Domain": ""}),
        json!({"UserName": "x".repeat(257)}),
        json!({"Domain": "é".repeat(129)}),
        json!({"UserName": ["x".repeat(1000)]}),
        json!({"StartDate": "2025-02-01"}),
        json!({"StartDate": "2024-01-01", "EndDate": "2025-01-01"}),
        json!({"StartDate": "9999-12-31", "EndDate": "9999-12-31"}),
    ] {
        let what: String = change.to_string().chars().take(40).collect();
        answers.push(format!(
            "{what}\n{}",
            snapshot::of(rollcall.report(&token, &filters(change)).await).await
        ));
    }
    insta::assert_snapshot!(answers.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_body_or_method_gets_an_error_that_says_why() {
    let (rollcall, token) = with_events("UTC", &[]).await;
    let url = format!("http://{}/api/v1/reporting/sessions", rollcall.reporting);
    let mut answers = Vec::new();
    for (media_type, body) in [
        ("application/json", String::new()),
        ("application/json", "{".to_owned()),
        ("application/json", "[]".to_owned()),
        ("application/json", "{}".to_owned()),
        ("application/json", r#"{"Filters": 5}"#.to_owned()),
        (
            "application/json",
            r#"{"Filters": {"UserName": "All Users", "UserName": "one"}}"#.to_owned(),
        ),
        ("text/plain", "{}".to_owned()),
        ("application/json", " ".repeat(70_000)),
    ] {
        let request = rollcall
            .http
            .post(&url)
            .bearer_auth(&token)
            .header(header::CONTENT_TYPE, media_type)
            .body(body);
        answers.push(snapshot::of(request.send().await.expect("an answer")).await);
    }
    answers.push(snapshot::of(rollcall.http.get(&url).send().await.expect("an answer")).await);
    answers.push(
        snapshot::of(
            rollcall
                .http
                .get(format!("{url}/x"))
                .send()
                .await
                .expect("an answer"),
        )
        .await,
    );
    insta::assert_snapshot!(answers.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn period_longer_than_period_days_gets_400() {
    let rollcall = Rollcall::builder()
        .await
        .set(|settings| settings.reporting.period_days = 7)
        .start();
    let token = rollcall.token(READ).await;
    let status = async |end: &str| {
        rollcall
            .report(&token, &filters(json!({"EndDate": end})))
            .await
            .status()
            .as_u16()
    };
    assert_eq!(
        (status("2025-01-07").await, status("2025-01-08").await),
        (200, 400)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn report_is_recorded_in_the_audit_log_with_its_request_date() {
    let (rollcall, token) = with_events("UTC", &[]).await;
    rollcall
        .report(&token, &filters(json!({"RequestDate": "2025-02-07"})))
        .await;
    let entries = rollcall
        .database
        .texts("SELECT detail::text AS text FROM audit_log WHERE action = 'v1.reporting.sessions'")
        .await;
    let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
    assert!(
        matches!(entries[..], [entry] if entry.contains("2025-02-07")),
        "{entries:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn report_returns_503_when_database_is_disabled_or_not_migrated() {
    let off = Rollcall::builder()
        .await
        .set(|settings| settings.reporting.database_enabled = false)
        .start();
    let is_off = snapshot::of(
        off.report(&off.token(READ).await, &filters(json!({})))
            .await,
    )
    .await;

    // The token is issued by a migrated installation that has the same signing key.
    let migrated = Rollcall::start().await;
    let unmigrated = Rollcall::builder_on(TestDatabase::unmigrated().await)
        .set(|settings| {
            settings
                .auth
                .key_directory
                .clone_from(&migrated.settings.auth.key_directory);
        })
        .start();
    let not_migrated = snapshot::of(
        unmigrated
            .report(&migrated.token(READ).await, &filters(json!({})))
            .await,
    )
    .await;
    insta::assert_snapshot!(format!("off\n{is_off}\n\nnot migrated\n{not_migrated}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn name_of_256_bytes_is_accepted() {
    let (rollcall, token) = with_events("UTC", &[]).await;
    for name in ["x".repeat(256), "é".repeat(128)] {
        let change = json!({"UserName": name, "Domain": name});
        assert_eq!(
            rollcall.report(&token, &filters(change)).await.status(),
            200
        );
    }
}
