use rollcall_attendance::row::{Continues, EndReason, Status};
use serde_json::json;
use utoipa::PartialSchema;

use super::Row;
use crate::samples::{at, closed_row};

#[test]
fn day_row_has_the_fields_of_the_contract_in_order() {
    let row = Row::from(closed_row());
    assert_eq!(
        serde_json::to_string(&row).expect("JSON"),
        r#"{"date":"2025-01-01","user":"user_4","realm":"Default","employee_id":"E-1004","#
            .to_owned()
            + r#""first_login":"2025-01-01T15:30:00+05:30","#
            + r#""last_logout":"2025-01-01T21:10:00+05:30","sessions":2,"worked_seconds":18600,"#
            + r#""active_seconds":null,"open_sessions":0,"end_reason":"logout","#
            + r#""corrected":false,"status":"final"}"#
    );
}

#[test]
fn period_row_has_days_and_no_date() {
    let mut row = closed_row();
    (row.date, row.days) = (None, Some(3));
    row.status = Status::Provisional;
    let row = serde_json::to_value(Row::from(row)).expect("JSON");
    assert_eq!(row.get("date"), None);
    assert_eq!(
        (&row["days"], &row["status"]),
        (&json!(3), &json!("provisional"))
    );
}

#[test]
fn row_of_touched_day_says_whether_sessions_continue() {
    let mut row = closed_row();
    row.end_reason = Some(EndReason::Timeout);
    row.continues = Some(Continues {
        from_previous_day: true,
        to_next_day: false,
    });
    let row = serde_json::to_value(Row::from(row)).expect("JSON");
    assert_eq!(row["end_reason"], "timeout");
    assert_eq!(row["continues_from_previous_day"], true);
    assert_eq!(row["continues_to_next_day"], false);
}

#[test]
fn fractions_of_a_second_are_cut_off() {
    let mut row = closed_row();
    row.first_login_at = Some(at("2025-01-01T10:00:59.999999Z"));
    row.last_logout_at = Some(at("1969-12-31T23:59:59.999999Z"));
    let row = serde_json::to_value(Row::from(row)).expect("JSON");
    assert_eq!(row["first_login"], "2025-01-01T15:30:59+05:30");
    assert_eq!(row["last_logout"], "1970-01-01T05:29:59+05:30");
}

#[test]
fn schema_requires_the_fields_that_every_row_has() {
    let schema = serde_json::to_value(Row::schema()).expect("JSON");
    let required = schema["required"].as_array().expect("a list").len();
    let fields = schema["properties"].as_object().expect("an object").len();
    assert_eq!((required, fields), (12, 16));
    let end_reason = schema["properties"]["end_reason"].to_string();
    assert!(end_reason.contains("restart"), "{end_reason}");
    assert!(end_reason.contains("null"), "{end_reason}");
}
