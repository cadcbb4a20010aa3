//! Files that HR systems import.

use rollcall_test_support::{Rollcall, snapshot};
use serde_json::Value;

use crate::support::{event, get, session, with_events};

const REPORT: &str = "/api/v2/attendance?start_date=2025-01-01&end_date=2025-01-31";

/// Starts the services with a session of an employee and one of a person without an employee.
async fn with_one_mapped_person() -> (Rollcall, String) {
    let sessions: Vec<Value> = [
        session(
            "1",
            "mapped",
            "2025-01-01T10:00:00Z",
            "2025-01-01T18:00:00Z",
        ),
        session("2", "other", "2025-01-01T10:00:00Z", "2025-01-01T18:00:00Z"),
    ]
    .concat();
    let (rollcall, token) = with_events("Asia/Kolkata", &sessions).await;
    rollcall
        .database
        .execute(
            "INSERT INTO employee_mappings (person_id, employee_id, valid_from, valid_to)
            SELECT id, 'E-1', '-infinity', 'infinity' FROM persons WHERE normalized_user = 'mapped'",
        )
        .await;
    (rollcall, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn persons_without_employee_get_409_with_their_list() {
    let (rollcall, token) = with_one_mapped_person().await;
    let answer = get(&rollcall, &token, &format!("{REPORT}&format=frappe")).await;
    insta::assert_snapshot!(snapshot::of(answer).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn interval_that_can_still_change_is_in_the_file_only_when_asked_for() {
    let open = event("1", "login", "amy", "2025-01-01T10:00:00Z");
    let (rollcall, token) = with_events("UTC", &[open]).await;
    let map =
        "INSERT INTO employee_mappings (person_id, employee_id) SELECT id, 'E-1' FROM persons";
    rollcall.database.execute(map).await;
    let still_open = "UPDATE sessions SET last_activity_at = '2025-02-13 10:00Z'";
    rollcall.database.execute(still_open).await;
    for (parameter, lines) in [("", 1), ("&provisional=include", 2)] {
        let path = format!("{REPORT}&format=frappe{parameter}");
        let file = get(&rollcall, &token, &path).await.text().await;
        let file = file.expect("a body");
        assert_eq!(file.lines().count(), lines, "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_shape_has_its_media_type_and_file_name() {
    let (rollcall, token) = with_one_mapped_person().await;
    let mut answers = Vec::new();
    for format in ["frappe", "odoo", "zoho", "greythr", "keka", "orangehrm"] {
        let path = format!("{REPORT}&format={format}&unmapped=skip&provisional=include");
        answers.push(snapshot::of(get(&rollcall, &token, &path).await).await);
    }
    insta::assert_snapshot!(answers.join("\n\n"));
}
