//! Commands for calendars.

mod common;
#[path = "common/json.rs"]
mod json;

use rollcall_test_support::Rollcall;
use serde_json::{Value, json};

use common::{error, run};
use json::run_json;

fn add(rollcall: &Rollcall, name: &str, zone: &str, start: &str) -> (Option<i32>, String) {
    let arguments = ["calendar", "add", name, "--time-zone", zone];
    let arguments = [&arguments[..], &["--start-of-day", start]].concat();
    let output = run(rollcall, "operator", &arguments, "");
    (output.status.code(), error(&output))
}

fn list(rollcall: &Rollcall) -> Value {
    run_json(rollcall, "operator", &["calendar", "list"]).0
}

#[tokio::test(flavor = "multi_thread")]
async fn calendars_are_added_listed_and_removed_with_audit_entries() {
    let rollcall = Rollcall::start().await;
    assert_eq!(add(&rollcall, "night", "asia/kolkata", "06:30").0, Some(0));
    assert_eq!(
        list(&rollcall),
        json!([
            {"name": "default", "time_zone": "UTC", "start_of_day": "00:00:00"},
            {"name": "night", "time_zone": "Asia/Kolkata", "start_of_day": "06:30:00"},
        ])
    );
    let removed = run(&rollcall, "operator", &["calendar", "remove", "night"], "");
    assert!(removed.status.success(), "{}", error(&removed));
    assert_eq!(list(&rollcall).as_array().map(Vec::len), Some(1));
    let noted = "SELECT action || ' ' || (detail ->> 'name') AS text FROM audit_log ORDER BY id";
    assert_eq!(
        rollcall.database.texts(noted).await,
        ["calendar.add night", "calendar.remove night"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn fourth_calendar_and_second_of_a_name_are_refused() {
    let rollcall = Rollcall::start().await;
    for name in ["a", "b", "c"] {
        assert_eq!(add(&rollcall, name, "UTC", "00:00:00").0, Some(0));
    }
    let (code, error) = add(&rollcall, "d", "UTC", "00:00");
    assert_eq!(code, Some(1));
    assert!(error.contains("already 3 calendars"), "{error}");
    let (code, error) = add(&rollcall, "a", "UTC", "00:00");
    assert_eq!(code, Some(1));
    assert!(
        error.contains("A calendar named a already exists"),
        "{error}"
    );
    assert_eq!(list(&rollcall).as_array().map(Vec::len), Some(4));
    assert_eq!(rollcall.database.count("audit_log").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn calendar_that_a_mapping_uses_is_not_removed() {
    let rollcall = Rollcall::start().await;
    add(&rollcall, "night", "UTC", "06:00");
    let file = "user,employee_id,calendar\nasha,E-1,night\n";
    let import = |file: &str| run(&rollcall, "operator", &["employee", "import", "f"], file);
    assert!(import(file).status.success());
    let remove = || run(&rollcall, "operator", &["calendar", "remove", "night"], "");
    let refused = remove();
    assert_eq!(refused.status.code(), Some(1));
    assert!(error(&refused).contains("used by 1 employee mapping"));
    assert!(import(&file.replace("night", "")).status.success());
    assert!(remove().status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_argument_is_named_with_what_is_accepted() {
    let rollcall = Rollcall::start().await;
    for (name, zone, start, message) in [
        ("Night", "UTC", "06:00", "small letters"),
        ("default", "UTC", "06:00", "must not be default or assigned"),
        ("night", "India", "06:00", "such as Asia/Kolkata"),
        ("night", "UTC", "24:00", "from 00:00 to 23:59"),
        ("night", "UTC", "6", "from 00:00 to 23:59"),
    ] {
        let (code, error) = add(&rollcall, name, zone, start);
        assert_eq!(code, Some(2), "{error}");
        assert!(error.contains(message), "{error}");
    }
    for (name, code, message) in [
        ("default", 2, "comes from the settings"),
        ("nowhere", 1, "There is no calendar named nowhere"),
    ] {
        let output = run(&rollcall, "operator", &["calendar", "remove", name], "");
        assert_eq!(output.status.code(), Some(code));
        assert!(error(&output).contains(message), "{}", error(&output));
    }
}
