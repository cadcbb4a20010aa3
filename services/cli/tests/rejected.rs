//! `source rejected`

mod common;

use rollcall_test_support::Rollcall;
use serde_json::{Value, json};

use common::{error, run};

fn run_json(rollcall: &Rollcall, arguments: &[&str]) -> Value {
    let output = run(rollcall, "operator", &[&["--json"], arguments].concat(), "");
    let value = serde_json::from_slice(&output.stdout);
    value.unwrap_or_else(|_| panic!("{}", error(&output)))
}

/// Returns a source with rejected input of two reasons. An unknown address was rejected too.
async fn with_rejected_input() -> (Rollcall, String) {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    let rejected =
        "INSERT INTO rejected_inputs (source_id, receiver, reason, count, last_at, sample)
        SELECT id, 'syslog', 'no rule', 3, timestamptz '2025-02-13T10:00:00Z', '<13>a job' FROM sources
        UNION ALL
        SELECT id, 'http', 'user is missing', 2, timestamptz '2025-02-12T10:00:00Z', '{}' FROM sources
        UNION ALL SELECT 0, 'syslog', 'unknown', 1, timestamptz '2025-02-13T10:00:00Z', '198.51.100.9'";
    rollcall.database.execute(rejected).await;
    (rollcall, source)
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_input_of_a_source_is_shown_with_the_latest_first() {
    let (rollcall, source) = with_rejected_input().await;
    let mut rows = run_json(&rollcall, &["source", "rejected", &source]);
    for row in rows.as_array_mut().expect("rows") {
        row.as_object_mut().expect("a row").remove("first_at");
    }
    let row = |receiver: &str, reason: &str, count: i32, last_at: &str, sample: &str| {
        json!({
            "source": source, "receiver": receiver, "reason": reason, "count": count,
            "last_at": last_at, "sample": sample,
        })
    };
    assert_eq!(
        rows,
        json!([
            row("syslog", "no rule", 3, "2025-02-13T10:00:00Z", "<13>a job"),
            row("http", "user is missing", 2, "2025-02-12T10:00:00Z", "{}"),
        ])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_input_without_a_name_includes_unknown_addresses() {
    let (rollcall, _) = with_rejected_input().await;
    let rows = run_json(&rollcall, &["source", "rejected"]);
    assert_eq!(rows[2]["source"], Value::Null);
    assert_eq!(rows[2]["sample"], "198.51.100.9");
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_input_as_text_shows_reason_and_sample() {
    let (rollcall, source) = with_rejected_input().await;
    let output = run(&rollcall, "operator", &["source", "rejected", &source], "");
    let text = String::from_utf8_lossy(&output.stdout);
    for part in ["no rule", "user is missing", "<13>a job"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_input_of_an_unknown_source_is_an_error() {
    let (rollcall, _) = with_rejected_input().await;
    let output = run(
        &rollcall,
        "operator",
        &["source", "rejected", "nowhere"],
        "",
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(error(&output).contains("no source named nowhere"));
}

#[tokio::test(flavor = "multi_thread")]
async fn source_list_shows_the_number_of_rejected_inputs() {
    let (rollcall, _) = with_rejected_input().await;
    let sources = run_json(&rollcall, &["source", "list"]);
    assert_eq!(sources[0]["rejected"], 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn reset_requires_yes_without_a_terminal() {
    let (rollcall, source) = with_rejected_input().await;
    let output = run(
        &rollcall,
        "operator",
        &["source", "rejected", &source, "--reset"],
        "",
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(error(&output).contains("Give --yes"), "{}", error(&output));
    assert_eq!(rollcall.database.count("rejected_inputs").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn reset_of_a_source_keeps_others_and_is_in_the_audit_log() {
    let (rollcall, source) = with_rejected_input().await;
    let reset = ["source", "rejected", &source, "--reset", "--yes"];
    assert_eq!(run_json(&rollcall, &reset)["removed_reasons"], 2);
    let kept = "SELECT reason AS text FROM rejected_inputs";
    assert_eq!(rollcall.database.texts(kept).await, ["unknown"]);
    let noted = "SELECT action || ' ' || (detail->>'name') AS text FROM audit_log";
    assert_eq!(
        rollcall.database.texts(noted).await,
        [format!("source.reset-rejected {source}")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reset_without_a_name_forgets_everything() {
    let (rollcall, _) = with_rejected_input().await;
    let reset = ["source", "rejected", "--reset", "--yes"];
    assert_eq!(run_json(&rollcall, &reset)["removed_reasons"], 3);
    assert_eq!(rollcall.database.count("rejected_inputs").await, 0);
}
