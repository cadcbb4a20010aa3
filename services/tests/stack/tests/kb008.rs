//! The calls of KB008, as its documentation shows them, with another host and other credentials.

use rollcall_stack_tests::{
    Answer, api_client, client, curl, parse, report, send, source, token, url,
};
use serde_json::{Value, json};

/// Sends a request with `curl --location`, as KB008 shows it.
fn kb008(path: &str, headers: &[&str], data: &str) -> Answer {
    let url = format!("{}{path}", url());
    let mut command = vec![
        "curl",
        "-sS",
        "-i",
        "--cacert",
        "/state/ca.pem",
        "--location",
        &url,
    ];
    for header in headers {
        command.extend(["--header", header]);
    }
    command.extend(["--data", data]);
    parse(&client(&command, ""))
}

#[test]
fn calls_of_kb008_get_a_token_and_reports() {
    let user = format!("user_{}", uuid::Uuid::new_v4().simple());
    let event = |kind: &str, at: &str| json!({"event_id": format!("{user} {kind}"), "type": kind, "session_id": user, "user": user, "occurred_at": at});
    let result = send(
        &source(),
        &json!([
            event("login", "2025-01-01T15:30:00Z"),
            event("logout", "2025-01-01T21:10:00Z")
        ]),
    );
    assert_eq!(result.json()["accepted"], 2, "{result:?}");
    let row = json!({"UserID": user, "Realm": "Default", "FirstLoginDateTime": "2025-01-01 15:30:00", "LastLogoutDateTime": "2025-01-01 21:10:00"});

    // 1: a token.
    let (name, password) = api_client(&["reporting:read"]);
    let answer = kb008(
        "/api/v1/auth/connect",
        &["Content-Type: application/json"],
        &format!(r#"{{"username": "{name}", "password": "{password}"}}"#),
    );
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        answer
            .json()
            .as_object()
            .map(|object| object.keys().cloned().collect::<Vec<_>>()),
        Some(vec!["token".to_owned()])
    );
    let bearer = format!(
        "Authorization: Bearer {}",
        answer.json()["token"].as_str().expect("a token")
    );
    let ask = |start: &str, end: &str, who: &str, start_of_day: &str| {
        let data = format!(
            r#"{{"Filters": {{"StartDate": "{start}", "EndDate": "{end}", "UserName": "{who}", "StartOfDay": "{start_of_day}", "RequestDate": "2025-02-13"}}}}"#
        );
        let answer = kb008(
            "/api/v1/reporting/sessions",
            &["Content-Type: application/json", &bearer],
            &data,
        );
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let body = answer.json();
        assert_eq!(
            (&body["statusCode"], &body["statusMessage"]),
            (&json!(200), &json!("Data fetched successfully"))
        );
        body["data"].as_array().expect("rows").clone()
    };
    // 2: all users; 3: one user; 4: a start of day; 5: a day without sessions.
    assert!(ask("2025-01-01", "2025-01-31", "All Users", "00:00:00").contains(&row));
    assert_eq!(
        ask("2025-01-01", "2025-01-31", &user, "00:00:00"),
        std::slice::from_ref(&row)
    );
    assert_eq!(ask("2024-12-31", "2024-12-31", &user, "16:00:00"), [row]);
    assert_eq!(
        ask("2025-01-02", "2025-01-02", &user, "00:00:00"),
        Vec::<Value>::new()
    );
}

#[test]
fn revoked_token_gets_401_through_the_vip() {
    let client = api_client(&["reporting:read"]);
    let token = token(&client);
    assert_eq!(report(&token, "2025-01-01", "2025-01-01").status, 200);
    let credentials = format!("{}:{}", client.0, client.1);
    let revoked = curl(
        "/oauth2/revoke",
        &["-u", &credentials, "-d", "@-"],
        &format!("token={token}"),
    );
    assert_eq!(revoked.status, 200, "{revoked:?}");
    let answer = report(&token, "2025-01-01", "2025-01-01");
    assert_eq!(
        (answer.status, answer.header("www-authenticate")),
        (401, Some(r#"Bearer error="invalid_token""#))
    );
}

#[test]
fn demo_fills_the_first_report_and_a_second_run_adds_nothing() {
    rollcall_stack_tests::script("demo", &[]);
    let again = rollcall_stack_tests::script("demo", &[]);
    assert!(
        again.contains(r#""accepted":0"#) && again.contains(r#""rejected":[]"#),
        "{again}"
    );
    let first: Value = serde_json::from_str(
        &std::fs::read_to_string(rollcall_stack_tests::root().join(".rollcall/first-client.json"))
            .expect("the first client"),
    )
    .expect("JSON");
    let text = |name: &str| first[name].as_str().expect("text").to_owned();
    let today = jiff::Zoned::now().date();
    let start = today
        .checked_sub(jiff::Span::new().days(13))
        .expect("a day");
    let rows = report(
        &token(&(text("username"), text("password"))),
        &start.to_string(),
        &today.to_string(),
    )
    .json();
    assert!(
        rows["data"]
            .as_array()
            .expect("rows")
            .iter()
            .filter(|row| row["UserID"] == "asha.rao")
            .count()
            == 1,
        "{rows}"
    );
}
