//! Import of the mappings of persons to employees.

mod common;
#[path = "common/json.rs"]
mod json;

use std::{fs, process::Output};

use rollcall_test_support::Rollcall;
use serde_json::{Value, json};

use common::{error, run};
use json::run_json;

fn import(rollcall: &Rollcall, file: &str, options: &[&str]) -> Output {
    let arguments = [&["--json", "employee", "import", "hr.csv"], options].concat();
    run(rollcall, "operator", &arguments, file)
}

/// Returns the numbers of a summary: added, replaced, ended, unchanged, rejected.
fn counts(output: &Output) -> [i64; 5] {
    let summary: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", error(output)));
    let fields = ["added", "replaced", "ended", "unchanged", "rejected"];
    fields.map(|field| summary[field].as_i64().expect("a number"))
}

/// Returns the mappings, each with its person and its days.
async fn mappings(rollcall: &Rollcall) -> Vec<String> {
    let mappings = "SELECT concat_ws(' ', normalized_user, normalized_realm, employee_id,
            calendar, valid_from, valid_to) AS text
        FROM employee_mappings JOIN persons ON id = person_id
        ORDER BY normalized_user, employee_mappings.valid_from";
    rollcall.database.texts(mappings).await
}

const FILE: &str = "user,realm,employee_id,calendar,valid_from,valid_to\n\
                    Asha,Sales,E-1,,,\n\
                    ben,,E-2,default,2025-01-01,2025-06-30\n\
                    ASHA,sales,E-3,,2025-02-01,\n";

#[tokio::test(flavor = "multi_thread")]
async fn mappings_are_dated_and_a_second_import_changes_nothing() {
    let rollcall = Rollcall::start().await;
    let expected = [
        "asha sales E-1 -infinity 2025-01-31",
        "asha sales E-3 2025-02-01 infinity",
        "ben default E-2 2025-01-01 2025-06-30",
    ];
    let dry_run = import(&rollcall, FILE, &["--dry-run"]);
    assert_eq!(counts(&dry_run), [3, 0, 0, 0, 0]);
    for table in ["employee_mappings", "persons", "audit_log"] {
        assert_eq!(rollcall.database.count(table).await, 0, "{table}");
    }
    assert_eq!(counts(&import(&rollcall, FILE, &[])), [3, 0, 0, 0, 0]);
    assert_eq!(mappings(&rollcall).await, expected);
    assert_eq!(counts(&import(&rollcall, FILE, &[])), [0, 0, 0, 3, 0]);
    assert_eq!(mappings(&rollcall).await, expected);
    let changed = "user,employee_id,valid_from\nben,E-4,2025-01-01\nben,E-5,2025-03-01\n";
    assert_eq!(counts(&import(&rollcall, changed, &[])), [1, 1, 0, 0, 0]);
    let later = "user,employee_id,valid_from\nben,E-6,2025-05-01\n";
    assert_eq!(counts(&import(&rollcall, later, &[])), [1, 0, 1, 0, 0]);
    assert_eq!(
        mappings(&rollcall).await[2..],
        [
            "ben default E-4 2025-01-01 2025-02-28",
            "ben default E-5 2025-03-01 2025-04-30",
            "ben default E-6 2025-05-01 infinity",
        ]
    );
    let noted = "SELECT concat_ws(' ', action, detail ->> 'name', detail ->> 'added') AS text
        FROM audit_log ORDER BY id";
    let noted = rollcall.database.texts(noted).await;
    assert_eq!(noted[0], "employee.import hr.csv 3");
    assert_eq!(noted.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_rows_have_line_column_and_reason_and_the_rest_is_imported() {
    let rollcall = Rollcall::start().await;
    let file = "\u{feff}user;realm;employee_id;calendar;valid_from;valid_to;note\r\n\
                asha;;E-1;;2025-01-01;2025-01-31;\r\n\
                \r\n\
                asha;;E-2;;2025-01-31;;\"two\r\nlines\"\r\n\
                ben;;;;;;\r\n\
                carla;;E-3;night;;;\r\n\
                dmitri;;E-4;;1.1.2025;;\r\n\
                elif;;E-5;;;;\r\n";
    let path = format!("{}/employees.rejects.csv", env!("CARGO_TARGET_TMPDIR"));
    let output = import(&rollcall, file, &["--rejects", &path]);
    assert_eq!(output.status.code(), Some(1), "{}", error(&output));
    assert_eq!(counts(&output), [2, 0, 0, 0, 4]);
    let summary: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(summary["ignored_columns"], json!(["note"]));
    let rejects = fs::read_to_string(&path).expect("the rejects");
    fs::remove_file(&path).expect("removed");
    for start in [
        "4;;The mapping overlaps line 2, which maps the person to E-1 from 2025-01-01 to 2025-01-3",
        "6;employee_id;is missing; it must be a text of 1 to 128 bytes",
        "7;calendar;\"must be one of default (got \"\"night\"\")\";carla",
        "8;valid_from;\"must be a calendar date in the form YYYY-MM-DD (got \"\"1.1.2025\"\")\"",
    ] {
        let quoted = start.replacen(";is missing; it", ";\"is missing; it", 1);
        assert!(
            rejects.contains(&format!("\n{quoted}")),
            "{quoted}: {rejects}"
        );
    }
    // Once corrected, the file of rejected rows can be imported.
    let corrected = rejects
        .replace("E-2;;2025-01-31", "E-2;;2025-02-01")
        .replace("ben;;;", "ben;;E-9;")
        .replace("night", "default")
        .replace("1.1.2025", "2025-01-01");
    let corrected = import(&rollcall, &corrected, &[]);
    assert_eq!(counts(&corrected), [4, 0, 0, 0, 0], "{}", error(&corrected));
}

#[tokio::test(flavor = "multi_thread")]
async fn event_of_a_person_that_a_mapping_named_first_is_recorded_and_gives_the_display_form() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    import(&rollcall, "user,employee_id\nASHA,E-1\n", &[]);
    let event = json!({
        "event_id": "1",
        "type": "login",
        "session_id": "s",
        "user": "Asha",
        "occurred_at": "2025-02-13T10:00:00Z",
    });
    let result: Value = rollcall
        .send(&source, &event)
        .await
        .json()
        .await
        .expect("JSON");
    assert_eq!(result["accepted"], 1, "{result}");
    let forms = "SELECT display_user || ' ' || display_realm AS text FROM persons";
    assert_eq!(rollcall.database.texts(forms).await, ["Asha Default"]);
    let sessions =
        "SELECT employee_id AS text FROM sessions JOIN employee_mappings USING (person_id)";
    assert_eq!(rollcall.database.texts(sessions).await, ["E-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn imports_at_the_same_time_leave_no_overlap() {
    let rollcall = Rollcall::start().await;
    let files: Vec<String> = (0..4)
        .map(|file| {
            let rows = (0..40).map(|n| {
                let (first, last) = (1 + (n + file) % 20, 3 + (n + file) % 20);
                format!("user-{n},E-{file},2025-01-{first:02},2025-01-{last:02}\n")
            });
            "user,employee_id,valid_from,valid_to\n".to_owned() + &rows.collect::<String>()
        })
        .collect();
    std::thread::scope(|scope| {
        for file in &files {
            scope.spawn(|| import(&rollcall, file, &[]));
        }
    });
    assert!(rollcall.database.count("employee_mappings").await >= 40);
    let overlaps = "SELECT a::text AS text FROM employee_mappings AS a JOIN employee_mappings AS b
        ON a.person_id = b.person_id
            AND a.valid_from < b.valid_from AND a.valid_to >= b.valid_from";
    assert_eq!(rollcall.database.texts(overlaps).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn mappings_are_listed_and_removed_and_unmapped_persons_are_found() {
    let rollcall = Rollcall::start().await;
    rollcall.source().await;
    rollcall
        .database
        .add_sessions(3, "'User_' || n", "'Sales'")
        .await;
    import(
        &rollcall,
        "user,realm,employee_id\nuser_1,sales,E-1\nuser_2,sales,E-2\n",
        &[],
    );
    let list = |options: &[&str]| {
        let arguments = [&["employee", "list"], options].concat();
        run_json(&rollcall, "operator", &arguments).0
    };
    assert_eq!(
        list(&[])[0],
        json!({
            "user": "User_1",
            "realm": "Sales",
            "employee_id": "E-1",
            "calendar": "default",
            "valid_from": null,
            "valid_to": null,
        })
    );
    let unmapped = || {
        let persons = list(&["--unmapped"]);
        let users = persons.as_array().expect("persons").iter();
        users
            .map(|person| person["user"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(unmapped(), ["User_3"]);
    let remove = |realm: &str| {
        let arguments = ["--yes", "employee", "remove", "USER_2", "--realm", realm];
        run(&rollcall, "operator", &arguments, "")
    };
    assert!(error(&remove("Default")).contains("mapped to no employee"));
    assert!(remove("sales").status.success());
    assert_eq!(unmapped(), ["User_2", "User_3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn column_can_be_mapped_and_a_missing_one_is_named() {
    let rollcall = Rollcall::start().await;
    let file = "Account,Number\nasha,E-1\n";
    let missing = import(&rollcall, file, &["--map", "user=account"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(error(&missing).contains("no column holds the employee_id"));
    let mapped = import(
        &rollcall,
        file,
        &["--map", "user=account,employee_id=Number"],
    );
    assert_eq!(counts(&mapped), [1, 0, 0, 0, 0]);
}
