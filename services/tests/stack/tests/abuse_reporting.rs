//! Abuse of reports by one API client, while another API client still gets its reports. A client
//! that reads at the minimum rate gets its report too.

use rollcall_stack_tests::{api_client, psql, source_named, start_direct_client, token};
use serde_json::{Value, json};

/// Sessions of 200,000 persons. A report on all of them (19 MB) is larger than all buffers between
/// the database and a client of `start_direct_client`.
struct LargeReport;

impl LargeReport {
    fn new() -> Self {
        let name = format!("abuse-{}", uuid::Uuid::new_v4());
        source_named(&name);
        psql(&format!(
            "INSERT INTO persons (
                 normalized_user, normalized_realm, reported_on, display_user, display_realm
             )
             SELECT 'user' || n, 'abuse', '2001-01-02', 'User' || n, 'Abuse'
             FROM generate_series(1, 200000) AS n ON CONFLICT DO NOTHING;
             INSERT INTO sessions (source_id, session_id, person_id, names_realm, named_at,
                 login_at, logout_at, last_activity_at, first_event_at)
             SELECT sources.id, 'abuse-' || persons.id, persons.id, true, at, at, at, at, at
             FROM sources, persons, (SELECT timestamptz '2001-01-02' AS at) AS instant
             WHERE name = '{name}' AND normalized_realm = 'abuse';
             ANALYZE sessions, persons"
        ));
        Self
    }
}

impl Drop for LargeReport {
    fn drop(&mut self) {
        psql("DELETE FROM sessions WHERE session_id LIKE 'abuse-%'");
    }
}

fn new_token() -> String {
    token(&api_client(&["reporting:read"]))
}

/// Runs `clients/abuse_reporting.py` and returns its output. All answers to the other client must
/// be 200, and no connection of the abuse may break off.
fn abuse(kind: &str, seconds: u32, tokens: &[String]) -> Value {
    let (seconds, other) = (seconds.to_string(), new_token());
    let mut command = vec![
        "python3",
        "/clients/abuse_reporting.py",
        kind,
        &seconds,
        &other,
    ];
    command.extend(tokens.iter().map(String::as_str));
    let output = start_direct_client(&command)
        .wait_with_output()
        .expect("its end");
    let text = String::from_utf8_lossy(&output.stdout);
    let printed: Value = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    println!("{kind}: {printed}");
    let steady = printed["steady"].as_object().expect("an object");
    assert_eq!(steady.keys().collect::<Vec<_>>(), ["200"], "{printed}");
    assert_eq!(printed["errors"], json!([]));
    printed
}

#[test]
fn short_report_succeeds_while_slow_readers_hold_large_reports() {
    let _large = LargeReport::new();
    let tokens: Vec<String> = (0..4).map(|_| new_token()).collect();
    let twice = [tokens.clone(), tokens].concat();
    let printed = abuse("slow", 15, &twice);
    assert_eq!(printed["abuse"], json!({"200": 6, "503": 2}));
    assert_eq!(printed["retry_after"]["503"], "10");
}

#[test]
fn reader_at_the_minimum_rate_gets_the_whole_report() {
    let _large = LargeReport::new();
    let printed = abuse("minimum", 75, &[new_token()]);
    assert_eq!(printed["abuse"], json!({"200": 1}));
}

#[test]
fn short_report_succeeds_while_one_connection_has_stalled_streams() {
    let _large = LargeReport::new();
    let printed = abuse("stalled", 15, &[new_token()]);
    assert_eq!(
        printed["abuse"],
        json!({"200": 2, "429": 7}),
        "the ninth at once"
    );
    assert_eq!(printed["retry_after"]["429"], "10");
}

#[test]
fn long_user_names_get_400_and_add_no_long_audit_entry() {
    let tokens = [new_token()];
    // The entries of the other client, which asks meanwhile, are not counted.
    let long = "SELECT count(*) FROM audit_log WHERE length(detail::text) > 10000";
    let before = psql(long);
    let printed = abuse("names", 20, &tokens);
    assert_eq!(printed["abuse"], json!({"400": 40}));
    assert_eq!(psql(long), before);
}

#[test]
fn client_over_50_requests_per_second_gets_429_and_another_does_not() {
    let printed = abuse("rate", 20, &[new_token()]);
    let count = |status: &str| printed["abuse"][status].as_u64().unwrap_or(0);
    assert!(count("429") > 0 && count("200") >= 100, "{printed}");
    assert_eq!(printed["retry_after"]["429"], "1");
}
