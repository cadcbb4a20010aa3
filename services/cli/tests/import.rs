//! Import of the user log that a gateway exports.

mod common;

use std::{fs, process::Output};

use rollcall_test_support::Rollcall;
use serde_json::{Value, json};

use common::error;

const HEADER: &str = "User Name,Display Name,Domain,WAN IP,Client IP,MAC,Login Time,Logout Time";

const ASHA: &str = "asha,Asha Rao,Sales,198.51.100.7,10.8.0.2,02:00:00:00:00:01,\
                    2025-01-01 15:30:00,2025-01-01 21:10:00";

/// Returns a log of three valid rows, of which two are equal, and four invalid rows.
fn log() -> String {
    let rows = [
        HEADER,
        ASHA,
        "ben,Ben Okafor,,198.51.100.8,10.8.0.3,,2025-01-01 09:00:00,-",
        ",No Name,,,,,2025-01-01 09:00:00,-",
        "carla,Carla,,nowhere,,,2025-01-01 09:00:00,-",
        "dmitri,Dmitri,,,,,yesterday,-",
        "elif,Elif,,,,,2025-01-01 09:00:00,2025-01-01 08:00:00",
        ASHA,
    ];
    rows.join("\n") + "\n"
}

fn import(rollcall: &Rollcall, source: &str, text: &str, options: &[&str]) -> Output {
    let zone = "Asia/Kolkata";
    let command = ["--json", "import", "--source", source, "--time-zone", zone];
    let arguments = [&command[..], options].concat();
    common::run(rollcall, "ingestion", &arguments, text)
}

fn summary(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", error(output)))
}

fn valid_rows(log: &str) -> String {
    let rows: Vec<&str> = log.lines().collect();
    [&rows[..3], &rows[7..]].concat().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn dry_run_records_nothing() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    assert_eq!(
        summary(&import(&rollcall, &source, &log(), &["--dry-run"])),
        json!({"rows": 7, "accepted": 0, "duplicates": 0, "rejected": 4})
    );
    assert_eq!(rollcall.database.count("events").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn imported_rows_are_reported_and_a_second_import_adds_nothing() {
    let rollcall = Rollcall::builder().await.time_zone("Asia/Kolkata").start();
    let source = rollcall.source().await;
    let text = valid_rows(&log());
    let first = import(&rollcall, &source, &text, &[]);
    assert!(first.status.success(), "{}", error(&first));
    assert_eq!(
        summary(&first),
        json!({"rows": 3, "accepted": 3, "duplicates": 2, "rejected": 0})
    );
    let second = import(&rollcall, &source, &text, &[]);
    assert_eq!(summary(&second)["accepted"], 0);

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

/// Imports the log with these line ends. Returns the text of the file with the rejected rows.
fn rejects(rollcall: &Rollcall, source: &str, line_end: &str) -> String {
    let file = format!("{}/{source}.rejects.csv", env!("CARGO_TARGET_TMPDIR"));
    let text = log().replace('\n', line_end);
    let output = import(rollcall, source, &text, &["--rejects", &file]);
    assert_eq!(output.status.code(), Some(1), "{}", error(&output));
    assert_eq!(summary(&output)["rejected"], 4);
    let rejects = fs::read_to_string(&file).expect("the rejects");
    fs::remove_file(&file).expect("removed");
    rejects
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_rows_are_written_with_line_column_and_reason() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    let rejects = rejects(&rollcall, &source, "\n");
    let mut lines = rejects.lines();
    let header = format!("{HEADER},rejected_line,rejected_column,rejected_reason");
    assert_eq!(lines.next(), Some(header.as_str()));
    let ends = [
        "4,User Name,",
        "5,WAN IP,",
        "6,Login Time,",
        "7,Logout Time,",
    ];
    for (line, end) in lines.zip(ends) {
        assert!(line.contains(&format!(",{end}")), "{end}: {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn line_numbers_are_right_for_lines_that_end_with_cr_lf() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    let rejects = rejects(&rollcall, &source, "\r\n");
    let first = rejects.lines().nth(1).expect("a rejected row");
    assert!(first.contains(",4,User Name,"), "{first}");
}

#[tokio::test(flavor = "multi_thread")]
async fn later_export_closes_a_session_that_was_open_in_an_earlier_export() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    let export = |logout: &str| format!("Person;From;To\nben;2025-02-13T09:00:00Z;{logout}\n");
    let options = [
        "--delimiter",
        ";",
        "--map",
        "user=person,login=FROM,logout=To",
    ];
    let open = import(&rollcall, &source, &export("-"), &options);
    assert_eq!(summary(&open)["accepted"], 1);
    let closed = import(
        &rollcall,
        &source,
        &export("2025-02-13T10:00:00Z"),
        &options,
    );
    assert_eq!(
        summary(&closed),
        json!({"rows": 1, "accepted": 1, "duplicates": 1, "rejected": 0})
    );
    assert_eq!(rollcall.database.count("sessions").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn error_says_what_is_accepted_and_the_exit_code_tells_usage_from_failure() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    let cases: [(&str, &str, &[&str], i32, &str); 5] = [
        (
            "nowhere",
            ASHA,
            &[],
            1,
            "There is no enabled source named nowhere",
        ),
        (
            &source,
            "a,b\n1,2\n",
            &[],
            1,
            "name it with --map login=COLUMN",
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
    ];
    for (source, text, options, code, message) in cases {
        let output = import(&rollcall, source, text, options);
        let error = error(&output);
        assert!(error.contains(message), "{error}");
        assert_eq!(output.status.code(), Some(code), "{error}");
    }
}
