//! List of the imports, and undoing an import. The tests of `store` cover what remains.

mod common;
#[path = "common/import.rs"]
mod log;

use std::process::Output;

use rollcall_store::{advisory_lock, imports};
use rollcall_test_support::Rollcall;
use serde_json::{Value, json};

use common::{error, run};
use log::{HEADER, counts, import, summary, valid_log};

fn operator(rollcall: &Rollcall, arguments: &[&str]) -> Output {
    let arguments = [&["--json"], arguments].concat();
    run(rollcall, "operator", &arguments, "")
}

fn undo(rollcall: &Rollcall, id: &str) -> Output {
    operator(rollcall, &["import", "undo", id, "--yes"])
}

#[tokio::test(flavor = "multi_thread")]
async fn imports_are_listed_latest_first() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    import(&rollcall, &source, log::log(), &[]);
    import(&rollcall, &source, valid_log(), &[]);
    let list = summary(&operator(&rollcall, &["import", "list"]));
    let fields = [
        "id",
        "source",
        "file",
        "rows",
        "rejected_rows",
        "accepted_events",
    ];
    let shown = |row: usize| fields.map(|field| list[row][field].clone());
    assert_eq!(
        shown(0),
        [
            json!(2),
            json!(source),
            json!("log.csv"),
            json!(3),
            json!(0),
            json!(0)
        ]
    );
    assert_eq!(
        shown(1),
        [
            json!(1),
            json!(source),
            json!("log.csv"),
            json!(7),
            json!(4),
            json!(3)
        ]
    );
    let text = run(&rollcall, "operator", &["import", "list"], "").stdout;
    let text = String::from_utf8(text).expect("text");
    assert!(
        text.lines().all(|line| line.chars().count() <= 120),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn import_and_undo_are_in_the_audit_log() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    import(&rollcall, &source, valid_log(), &[]);
    undo(&rollcall, "1");
    let entries = summary(&operator(&rollcall, &["audit", "list"]));
    let entry = |row: usize| {
        (
            entries[row]["action"].clone(),
            entries[row]["detail"].clone(),
        )
    };
    let detail = json!({"file": "log.csv", "import": 1, "person": null, "source": source});
    assert_eq!(entry(1), (json!("import"), detail.clone()));
    let mut detail = detail;
    detail["withdrawn_events"] = json!(3);
    assert_eq!(entry(0), (json!("import.undo"), detail));
}

#[tokio::test(flavor = "multi_thread")]
async fn undone_import_is_in_no_report_and_can_be_imported_again() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    import(&rollcall, &source, valid_log(), &[]);
    let undone = undo(&rollcall, "1");
    assert!(undone.status.success(), "{}", error(&undone));
    assert_eq!(summary(&undone)["withdrawn_events"], 3);
    let token = rollcall.token("reporting:read").await;
    let rows = rollcall
        .rows(&token, "2025-01-01", "2025-01-01", "00:00:00")
        .await;
    assert_eq!(rows, json!([]));
    let sources = summary(&operator(&rollcall, &["source", "list"]));
    assert_eq!(sources[0]["events"], 0);
    let again = import(&rollcall, &source, valid_log(), &[]);
    assert_eq!(counts(&again), [3, 0, 3, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn event_of_two_imports_is_withdrawn_when_both_are_undone() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    let export = |logout: &str| format!("user,login,logout\nben,2025-01-01 09:00:00,{logout}\n");
    import(&rollcall, &source, export("-"), &[]);
    import(&rollcall, &source, export("2025-01-01 17:00:00"), &[]);
    assert_eq!(summary(&undo(&rollcall, "1"))["withdrawn_events"], 0);
    assert_eq!(summary(&undo(&rollcall, "2"))["withdrawn_events"], 2);
    assert_eq!(rollcall.database.count("sessions").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_requires_yes_without_a_terminal() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    import(&rollcall, &source, valid_log(), &[]);
    let output = operator(&rollcall, &["import", "undo", "1"]);
    assert!(error(&output).contains("Give --yes"), "{}", error(&output));
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(rollcall.database.count("events").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_says_why_it_is_refused() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    for _ in 0..3 {
        import(&rollcall, &source, valid_log(), &[]);
    }
    undo(&rollcall, "1");
    let mut running = rollcall.database.connect("ingestion").await;
    let name = imports::lock_name(2);
    let is_acquired = advisory_lock::try_acquire(&mut running, &name).await;
    assert_eq!(is_acquired, Ok(true));
    let remove = "DELETE FROM event_ids WHERE event_id LIKE '%-login'";
    for (id, why) in [
        ("77", "There is no import 77. List the imports"),
        ("1", "Import 1 is already undone."),
        ("2", "Import 2 is still running"),
        (
            "3",
            "Import 3 cannot be undone, because retention has removed events of it.",
        ),
    ] {
        if id == "3" {
            rollcall.database.execute(remove).await;
        }
        let output = undo(&rollcall, id);
        let error: Value = serde_json::from_slice(&output.stderr).expect("JSON");
        let message = error["error"].as_str().expect("a message");
        assert!(message.starts_with(why), "{message}");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn help_shows_the_file_and_the_commands() {
    let rollcall = Rollcall::start().await;
    let output = run(&rollcall, "operator", &["import", "--help"], "");
    let help = String::from_utf8(output.stdout).expect("text");
    for text in [
        "import FILE --source NAME",
        "import undo ID",
        "--encoding",
        "--dry-run",
    ] {
        assert!(help.contains(text), "{text}: {help}");
    }
    let output = run(
        &rollcall,
        "ingestion",
        &["import", "--source", "gateway"],
        HEADER,
    );
    assert!(error(&output).contains("<FILE>"), "{}", error(&output));
    assert_eq!(output.status.code(), Some(2));
}
