//! Import of the user log that a gateway exports.

mod common;
#[path = "common/import.rs"]
mod log;

use std::fs;

use rollcall_test_support::Rollcall;
use serde_json::json;

use common::error;
use log::{ASHA, HEADER, counts, import, log, summary, valid_log};

#[tokio::test(flavor = "multi_thread")]
async fn dry_run_says_what_is_new_and_records_nothing() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    let dry_run = || import(&rollcall, &source, log(), &["--dry-run"]);
    assert_eq!(counts(&dry_run()), [7, 4, 3, 2]);
    for table in ["events", "imports", "audit_log"] {
        assert_eq!(rollcall.database.count(table).await, 0, "{table}");
    }
    import(&rollcall, &source, format!("{HEADER}\n{ASHA}\n"), &[]);
    assert_eq!(counts(&dry_run()), [7, 4, 1, 4]);
    assert_eq!(rollcall.database.count("events").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn imported_rows_are_reported_and_a_second_import_adds_nothing() {
    let rollcall = Rollcall::builder().await.time_zone("Asia/Kolkata").start();
    let source = rollcall.source().await;
    let first = import(&rollcall, &source, valid_log(), &[]);
    assert!(first.status.success(), "{}", error(&first));
    assert_eq!(
        summary(&first),
        json!({
            "import": 1,
            "rows": 3,
            "rejected_rows": 0,
            "accepted_events": 3,
            "duplicate_events": 2,
            "clock_changes": 0,
            "delimiter": "comma",
            "encoding": "UTF-8",
        })
    );
    let skewed = "SELECT event_id AS text FROM events WHERE clock_skewed";
    assert!(rollcall.database.texts(skewed).await.is_empty());
    let second = import(&rollcall, &source, valid_log(), &[]);
    assert_eq!(counts(&second), [3, 0, 0, 5]);

    let token = rollcall.token("reporting:read").await;
    let rows = rollcall
        .rows(&token, "2025-01-01", "2025-01-01", "00:00:00")
        .await;
    assert_eq!(
        rows[0],
        json!({
            "UserID": "asha",
            "Realm": "Sales",
            "FirstLoginDateTime": "2025-01-01 15:30:00",
            "LastLogoutDateTime": "2025-01-01 21:10:00",
        })
    );
}

/// Imports a log and returns the text of the file with the rejected rows.
fn rejects(rollcall: &Rollcall, source: &str, log: &str) -> String {
    let file = format!("{}/{source}.rejects.csv", env!("CARGO_TARGET_TMPDIR"));
    let output = import(rollcall, source, log, &["--rejects", &file]);
    assert_eq!(output.status.code(), Some(1), "{}", error(&output));
    let rejects = fs::read_to_string(&file).expect("the rejects");
    fs::remove_file(&file).expect("removed");
    rejects
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_rows_are_written_with_line_column_and_reason() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    for line_end in ["\n", "\r\n"] {
        let rejects = rejects(&rollcall, &source, &log().replace('\n', line_end));
        let mut lines = rejects.lines();
        let header = format!("\u{feff}rejected_line,rejected_column,rejected_reason,{HEADER}");
        assert_eq!(lines.next(), Some(header.as_str()));
        let starts = [
            "4,User Name,",
            "5,WAN IP,",
            "6,Login Time,",
            "7,Logout Time,",
        ];
        for (line, start) in lines.zip(starts) {
            assert!(line.starts_with(start), "{start}: {line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn file_of_rejected_rows_can_be_corrected_and_imported() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    let text = "login;user;note\nyesterday;\"Zoë; \"\"Z\"\"\";\"two\nlines\"\n";
    let rejects = rejects(&rollcall, &source, text);
    let corrected = rejects.replace("yesterday", "2025-01-01 09:00:00");
    let corrected = corrected.replacen("2025-01-01 09:00:00", "yesterday", 1);
    let output = import(&rollcall, &source, &corrected, &["--encoding", "latin1"]);
    assert_eq!(counts(&output), [1, 0, 1, 0], "{corrected}");
    let users = "SELECT display_user AS text FROM persons";
    assert_eq!(rollcall.database.texts(users).await, ["Zoë; \"Z\""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn row_of_which_both_events_are_refused_is_rejected_once() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    import(&rollcall, &source, format!("{HEADER}\n{ASHA}\n"), &[]);
    let other = ASHA.replace("Asha Rao", "A. Rao");
    let output = import(&rollcall, &source, format!("{HEADER}\n{other}\n"), &[]);
    assert_eq!(counts(&output), [1, 1, 0, 0]);
    assert_eq!(output.status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn delimiter_and_encoding_are_detected() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    let text = "User Name;Login Time;Logout Time\nZoë;2025-01-01 09:00:00;-\n";
    let utf_16 = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let windows = text.chars().map(|character| character as u8).collect();
    let files: [(Vec<u8>, &str, i64); 3] = [
        (text.into(), "UTF-8", 1),
        (utf_16, "UTF-16LE", 0),
        (windows, "windows-1252", 0),
    ];
    for (file, encoding, accepted) in files {
        let output = import(&rollcall, &source, file, &[]);
        let summary = summary(&output);
        let found = (&summary["delimiter"], &summary["encoding"]);
        assert_eq!(found, (&json!("semicolon"), &json!(encoding)));
        assert_eq!(summary["accepted_events"], accepted, "{encoding}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn given_delimiter_and_encoding_take_precedence() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    let file = b"user|login|a,b,c\n\xc3\xa9|2025-01-01 09:00:00|\n";
    let options = ["--delimiter", "pipe", "--encoding", "windows-1252"];
    import(&rollcall, &source, file, &options);
    let users = "SELECT display_user AS text FROM persons";
    assert_eq!(rollcall.database.texts(users).await, ["Ã©"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn local_times_that_a_clock_change_skips_or_repeats_are_counted() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    let file = "user,login,logout\nasha,2025-03-09 02:30:00,-\nben,2024-11-03 01:30:00,-\n";
    let arguments = ["--json", "import", "log.csv", "--source", &source];
    let zone = ["--time-zone", "America/New_York"];
    let arguments = [&arguments[..], &zone].concat();
    let output = common::run(&rollcall, "ingestion", &arguments, file);
    assert_eq!(summary(&output)["clock_changes"], 2);
    let logins = "SELECT (login_at AT TIME ZONE 'UTC')::text AS text FROM sessions ORDER BY 1";
    assert_eq!(
        rollcall.database.texts(logins).await,
        ["2024-11-03 05:30:00", "2025-03-09 07:00:00"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_is_shown_on_a_terminal_and_not_in_a_pipe() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    let arguments = ["import", "log.csv", "--source", &source];
    let environments: [&[(&str, &str)]; 2] = [&[("OPERATOR_PROGRESS", "yes")], &[]];
    let [shown, hidden] = environments.map(|environment| {
        let file = format!("{HEADER}\n{ASHA}\n");
        let output = common::run_with(&rollcall, "ingestion", &arguments, file, environment);
        error(&output)
    });
    assert!(shown.contains("1 rows: 2 events accepted"), "{shown:?}");
    assert_eq!(hidden, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn later_export_closes_a_session_that_was_open_in_an_earlier_export() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    let export = |logout: &str| format!("Person;From;To\nben;2025-02-13T09:00:00Z;{logout}\n");
    let options = ["--map", "user=person,login=FROM,logout=To"];
    let open = import(&rollcall, &source, export("-"), &options);
    assert_eq!(counts(&open), [1, 0, 1, 0]);
    let closed = import(&rollcall, &source, export("2025-02-13T10:00:00Z"), &options);
    assert_eq!(counts(&closed), [1, 0, 1, 1]);
    assert_eq!(rollcall.database.count("sessions").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn error_says_what_is_accepted_and_the_exit_code_tells_usage_from_failure() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    let other = "There is no enabled source named nowhere";
    let header = "a,b\n1,2\n";
    let cases: [(&str, &str, &[&str], i32, &str); 7] = [
        ("nowhere", ASHA, &[], 1, other),
        (
            &source,
            header,
            &[],
            1,
            "--map login=COLUMN (the columns are a, b)",
        ),
        (
            &source,
            HEADER,
            &["--map", "login=Start"],
            1,
            "there is no column",
        ),
        (
            &source,
            HEADER,
            &["--map", "beginning=Start"],
            2,
            "login, logout, user",
        ),
        (
            &source,
            HEADER,
            &["--delimiter", ";;"],
            2,
            "one ASCII character",
        ),
        (
            &source,
            HEADER,
            &["--encoding", "morse"],
            2,
            "such as utf-8",
        ),
        (
            &source,
            HEADER,
            &["--time-zone", "India"],
            2,
            "such as Asia/Kolkata",
        ),
    ];
    for (source, text, options, code, message) in cases {
        let arguments = ["import", "log.csv", "--source", source];
        let arguments = [&arguments[..], options].concat();
        let output = common::run(&rollcall, "ingestion", &arguments, text);
        let error = error(&output);
        assert!(error.contains(message), "{error}");
        assert_eq!(output.status.code(), Some(code), "{error}");
    }
}
