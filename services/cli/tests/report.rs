//! Reports and open sessions on the command line.

mod common;
#[path = "common/json.rs"]
mod json;

use std::process::Output;

use rollcall_platform::clock::Clock;
use rollcall_test_support::Rollcall;
use serde_json::{Value, json};

use common::{error, run, run_with};
use json::run_json;

const DAYS: [&str; 5] = ["report", "--from", "2025-01-01", "--to", "2025-01-02"];

/// Starts Rollcall with two sessions of Asha, one of them over midnight, and one of Ben.
async fn with_sessions() -> Rollcall {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    for (session, user, login, logout) in [
        ("a", "Asha", "2025-01-01T09:00:00Z", "2025-01-01T12:00:00Z"),
        ("b", "asha", "2025-01-01T22:00:00Z", "2025-01-02T02:00:05Z"),
        ("c", "ben", "2025-01-02T08:00:00Z", "2025-01-02T09:00:00Z"),
    ] {
        for (kind, at) in [("login", login), ("logout", logout)] {
            send(&rollcall, &source, session, kind, user, at).await;
        }
    }
    rollcall
}

async fn send(rollcall: &Rollcall, source: &str, session: &str, kind: &str, user: &str, at: &str) {
    let event = json!({
        "event_id": format!("{session}-{kind}"),
        "type": kind,
        "session_id": session,
        "user": user,
        "client_ip": "10.8.0.2",
        "occurred_at": at,
    });
    let result: Value = rollcall
        .send(source, &event)
        .await
        .json()
        .await
        .expect("JSON");
    assert_eq!(result["accepted"], 1, "{result}");
}

fn report(rollcall: &Rollcall, options: &[&str]) -> Output {
    let arguments = [&DAYS[..], options].concat();
    let settings = [
        ("ROLLCALL_REPORTING__TIME_ZONE", "Asia/Kolkata"),
        (
            "ROLLCALL_REPORTING__SCRATCH_DIRECTORY",
            env!("CARGO_TARGET_TMPDIR"),
        ),
    ];
    run_with(rollcall, "reporting", &arguments, "", &settings)
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", error(output));
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_has_a_row_for_each_user_and_day_in_the_reporting_time_zone() {
    let rollcall = with_sessions().await;
    let csv = text(&report(&rollcall, &["--format", "csv"]));
    let lines: Vec<&str> = csv.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 4, "{csv}");
    assert!(lines[0].starts_with("date,user,realm,employee_id,first_login,last_logout,sessions,"));
    for (line, start) in lines[1..].iter().zip([
        "2025-01-01,asha,Default,,2025-01-01T14:30:00+05:30,2025-01-01T17:30:00+05:30,1,10800,",
        "2025-01-02,asha,Default,,2025-01-02T03:30:00+05:30,2025-01-02T07:30:05+05:30,1,14405,",
        "2025-01-02,ben,Default,,2025-01-02T13:30:00+05:30,2025-01-02T14:30:00+05:30,1,3600,",
    ]) {
        assert!(line.starts_with(start), "{start}: {line}");
    }
    let noted = "SELECT concat_ws(' ', action, detail ->> 'from', detail ->> 'to') AS text
        FROM audit_log";
    assert_eq!(
        rollcall.database.texts(noted).await,
        ["report 2025-01-01 2025-01-02"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn table_json_and_xlsx_have_the_same_rows() {
    let rollcall = with_sessions().await;
    let rows = |options: &[&str]| -> Value {
        serde_json::from_str(&text(&report(&rollcall, options))).expect("JSON")
    };
    let ben = rows(&["--format", "json", "--user", "BEN"]);
    assert_eq!(ben.as_array().map(Vec::len), Some(1));
    assert_eq!(ben[0]["first_login"], "2025-01-02T13:30:00+05:30");
    assert_eq!(ben[0]["worked_seconds"], 3600);
    let utc = rows(&["--json", "--utc"]);
    assert_eq!(utc[1]["last_logout"], "2025-01-02T02:00:05+00:00");
    assert_eq!(rows(&["--json", "--user", "nobody"]), json!([]));
    let table = text(&report(&rollcall, &[]));
    let line = table.lines().find(|line| line.contains("4:00:05"));
    let line = line.unwrap_or_else(|| panic!("{table}"));
    assert!(
        line.contains("2025-01-02 03:30:00  2025-01-02 07:30:05"),
        "{line}"
    );
    let none = text(&report(&rollcall, &["--user", "nobody"]));
    assert!(
        none.starts_with("There is no session from 2025-01-01"),
        "{none}"
    );
    let workbook = report(&rollcall, &["--output", "january.xlsx"]);
    assert!(
        workbook.stdout.starts_with(b"PK\x03\x04"),
        "{}",
        error(&workbook)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn named_calendar_gives_zone_and_start_of_day() {
    let rollcall = with_sessions().await;
    let add = [
        "calendar",
        "add",
        "night",
        "--time-zone",
        "Europe/Berlin",
        "--start-of-day",
        "12:00",
    ];
    let added = run(&rollcall, "operator", &add, "");
    assert!(added.status.success(), "{}", error(&added));
    let file = "user,employee_id,calendar\nben,E-2,night\n";
    assert!(
        run(&rollcall, "operator", &["employee", "import", "f"], file)
            .status
            .success()
    );
    let logins = |calendar: &str| {
        let options = ["--json", "--calendar", calendar];
        let rows: Value = serde_json::from_str(&text(&report(&rollcall, &options))).expect("JSON");
        let rows = rows.as_array().expect("rows").iter();
        rows.map(|row| format!("{} {}", row["date"], row["first_login"]).replace('"', ""))
            .collect::<Vec<_>>()
    };
    // Asha's first session begins at 10:00 in Berlin, on the reporting day before.
    assert_eq!(
        logins("night"),
        [
            "2025-01-01 2025-01-01T23:00:00+01:00",
            "2025-01-01 2025-01-02T09:00:00+01:00"
        ]
    );
    let assigned = logins("assigned");
    assert!(assigned.contains(&"2025-01-01 2025-01-01T14:30:00+05:30".to_owned()));
    assert!(assigned.contains(&"2025-01-01 2025-01-02T09:00:00+01:00".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_option_of_a_report_is_named() {
    let rollcall = Rollcall::start().await;
    let cases: [(&[&str], &str); 6] = [
        (
            &["--calendar", "nowhere"],
            "There is no calendar named nowhere",
        ),
        (
            &["--output", "report.pdf"],
            "must end in .csv, .xlsx, .json or .txt",
        ),
        (&["--format", "pdf"], "table, csv, xlsx, json"),
        (
            &["--json", "--format", "csv"],
            "--json cannot be given with another",
        ),
        (
            &["--from", "2025-02-30"],
            "'--from <FROM>': must be a calendar date in the form YYYY-MM-DD",
        ),
        (&["--realm", "Sales"], "unexpected argument"),
    ];
    for (options, message) in cases {
        let mut arguments = DAYS.to_vec();
        if options[0] == "--from" {
            arguments.drain(1..3);
        }
        let output = run(&rollcall, "reporting", &[&arguments, options].concat(), "");
        assert!(error(&output).contains(message), "{}", error(&output));
        assert_eq!(output.status.code(), Some(2), "{options:?}");
    }
    for (days, message) in [
        (["2025-01-02", "2025-01-01"], "must not be after"),
        (["2024-01-01", "2025-12-31"], "at most 366 days"),
    ] {
        let arguments = ["report", "--from", days[0], "--to", days[1]];
        let output = run(&rollcall, "reporting", &arguments, "");
        assert!(error(&output).contains(message), "{}", error(&output));
        assert_eq!(output.status.code(), Some(2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_of_a_report_is_shown_on_a_terminal_only() {
    let rollcall = with_sessions().await;
    let arguments = [&DAYS[..], &["--format", "csv"]].concat();
    let terminal = [("OPERATOR_PROGRESS", "yes")];
    let shown = run_with(&rollcall, "reporting", &arguments, "", &terminal);
    assert!(
        error(&shown).contains("1 rows, 2025-01-01"),
        "{}",
        error(&shown)
    );
    assert_eq!(error(&run(&rollcall, "reporting", &arguments, "")), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn live_lists_the_open_sessions() {
    let rollcall = with_sessions().await;
    let live = || run_json(&rollcall, "reporting", &["live"]).0;
    assert_eq!(live(), json!([]));
    let source = rollcall.source().await;
    let now = Clock::System.now();
    let behind = now.duration_since(rollcall.clock.now());
    rollcall.clock.advance(behind.as_secs());
    let now = format!("{now:.0}");
    send(&rollcall, &source, "open", "login", "Carla", &now).await;
    assert_eq!(
        live(),
        json!([{
            "user": "Carla",
            "realm": "Default",
            "employee_id": null,
            "since": now,
            "client_ip": "10.8.0.2",
            "source": source,
            "last_activity_at": now,
        }])
    );
    let table = run(&rollcall, "reporting", &["live"], "");
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(
        table
            .lines()
            .nth(1)
            .is_some_and(|line| line.starts_with("Carla  Default")),
        "{table}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn report_with_too_many_rows_for_a_table_is_refused_and_not_cut() {
    let rollcall = Rollcall::start().await;
    rollcall.source().await;
    rollcall
        .database
        .add_sessions(10_001, "'user_' || n", "'Sales'")
        .await;
    let table = report(&rollcall, &[]);
    assert_eq!(table.status.code(), Some(1));
    assert!(
        error(&table).contains("more than 10000 rows"),
        "{}",
        error(&table)
    );
    assert!(table.stdout.is_empty());
    let csv = text(&report(&rollcall, &["--format", "csv"]));
    assert_eq!(csv.lines().count(), 10_002);
}
