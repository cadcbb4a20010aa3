//! Rows for tests.

use jiff::{Timestamp, civil::date, tz::TimeZone};
use rollcall_attendance::row::{AttendanceRow, EndReason, Status};

/// Returns an instant.
pub fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// Returns the row that the contract shows.
pub fn closed_row() -> AttendanceRow {
    AttendanceRow {
        date: Some(date(2025, 1, 1)),
        days: None,
        user: "user_4".into(),
        realm: "Default".into(),
        employee_id: Some("E-1004".into()),
        first_login_at: Some(at("2025-01-01T15:30:00+05:30")),
        last_logout_at: Some(at("2025-01-01T21:10:00+05:30")),
        sessions: 2,
        worked_seconds: 18_600,
        active_seconds: None,
        open_sessions: 0,
        end_reason: Some(EndReason::Logout),
        continues: None,
        status: Status::Final,
        time_zone: TimeZone::get("Asia/Kolkata").expect("a zone"),
    }
}
