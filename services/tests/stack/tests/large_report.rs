//! A report of a million rows is streamed, so the memory of the service does not grow.

use rollcall_stack_tests::{api_client, docker, psql, source_named, token, url};

/// Returns the peak resident memory of reporting since it started, in KiB.
fn peak() -> u64 {
    let status = docker(&[
        "compose",
        "exec",
        "-T",
        "reporting",
        "cat",
        "/proc/1/status",
    ]);
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .expect("VmHWM");
    line.split_whitespace()
        .nth(1)
        .and_then(|number| number.parse().ok())
        .expect("a number")
}

#[test]
fn report_of_a_million_rows_needs_at_most_32_mib_of_memory() {
    let name = format!("large-{}", uuid::Uuid::new_v4());
    source_named(&name);
    let source = format!("(SELECT id FROM sources WHERE name = '{name}')");
    psql(&format!(
        "INSERT INTO persons (
             normalized_user, normalized_realm, reported_on, display_user, display_realm
         )
         SELECT 'user' || n, 'large', '2001-01-01', 'User' || n, 'Large'
         FROM generate_series(1, 1000000) AS n ON CONFLICT DO NOTHING;
         INSERT INTO sessions (source_id, session_id, person_id, names_realm, named_at,
             login_at, logout_at, last_activity_at, first_event_at)
         SELECT {source}, 'large-' || id, id, true, at, at, at, at, at
         FROM persons, (SELECT timestamptz '2001-01-01' AS at) AS instant
         WHERE normalized_realm = 'large';
         ANALYZE sessions, persons"
    ));
    let token = token(&api_client(&["reporting:read"]));
    rollcall_stack_tests::report(&token, "2001-01-01", "2001-01-01");
    let before = peak();
    let body = r#"{"Filters": {"StartDate": "2001-01-01", "EndDate": "2001-01-31", "UserName": "All Users", "StartOfDay": "00:00:00", "RequestDate": "2001-02-01", "Domain": "LARGE"}}"#;
    let command = format!(
        "curl -sS --max-time 120 --cacert /state/ca.pem -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' -d '{body}' {}/api/v1/reporting/sessions | python3 -c 'import json, sys; rows = json.load(sys.stdin)[\"data\"]; print(len(rows), rows == sorted(rows, key=lambda row: row[\"UserID\"].lower()))'",
        url()
    );
    let counted = rollcall_stack_tests::client(&["sh", "-c", &command], "");
    let grown = peak() - before;
    psql("DELETE FROM sessions WHERE session_id LIKE 'large-%'");
    assert_eq!(counted.trim(), "1000000 True");
    println!("a report of 1,000,000 rows grew the process by {grown} KiB");
    assert!(grown <= 32 * 1024, "{grown} KiB");
}
