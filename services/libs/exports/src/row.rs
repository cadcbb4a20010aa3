//! The wire type of a row: an object of the pages of `/api/v2/attendance` and a line of NDJSON.

use jiff::civil::Date;
use rollcall_attendance::row::{self, AttendanceRow};
use serde::Serialize;
use utoipa::ToSchema;

use crate::local_time::{LocalTime, Offsets};

/// Attendance of a person or an employee, on a reporting day or in a whole period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Row {
    /// The reporting day. Absent in rows for a whole period.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = Date, required = false, example = "2025-01-01")]
    pub date: Option<Date>,
    /// Display form of the user.
    #[schema(example = "user_4")]
    pub user: String,
    /// Display form of the realm.
    #[schema(example = "Default")]
    pub realm: String,
    /// The employee to whom the person is mapped, or null.
    #[schema(required, example = "E-1004")]
    pub employee_id: Option<String>,
    /// Earliest login, with the offset of the calendar's time zone. Null in a row without sessions.
    #[schema(value_type = Option<String>, format = DateTime, required,
        example = "2025-01-01T15:30:00+05:30")]
    pub first_login: Option<LocalTime>,
    /// Latest end. Null while a session is open, and in a row without sessions.
    #[schema(value_type = Option<String>, format = DateTime, required,
        example = "2025-01-01T21:10:00+05:30")]
    pub last_logout: Option<LocalTime>,
    /// Number of sessions.
    #[schema(minimum = 0, example = 2)]
    pub sessions: i64,
    /// Length of the union of the sessions, in whole seconds. An open session counts up to its last
    /// activity.
    #[schema(minimum = 0, example = 18_600)]
    pub worked_seconds: i64,
    /// Active time that the sources measured. Null if a session lacks it.
    #[schema(minimum = 0, required, example = 17_400)]
    pub active_seconds: Option<i64>,
    /// Number of open sessions.
    #[schema(minimum = 0, example = 0)]
    pub open_sessions: i64,
    /// Reason of the end of the session that ends last. Null while a session is open, and in a row
    /// without sessions.
    #[schema(required, inline)]
    pub end_reason: Option<EndReason>,
    /// True if a person has corrected the row.
    #[schema(example = false)]
    pub corrected: bool,
    /// Status of the row: whether the row can still change.
    pub status: Status,
    /// Number of reporting days with a session. Absent in rows for a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, required = false, minimum = 0, example = 1)]
    pub days: Option<i64>,
    /// True if a session began on an earlier day. Present only with `attribution=overlap`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool, required = false, example = false)]
    pub continues_from_previous_day: Option<bool>,
    /// True if a session ends on a later day. Present only with `attribution=overlap`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool, required = false, example = false)]
    pub continues_to_next_day: Option<bool>,
}

/// Reason why a session has ended: `logout` (reported), `restart` (the source restarted), `timeout`
/// (no activity for the configured time).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = "logout")]
pub enum EndReason {
    /// The source reported the logout.
    Logout,
    /// The source restarted.
    Restart,
    /// There was no activity for the configured time.
    Timeout,
}

/// `final` if no session is open and all sources have reported everything up to the end of the day
/// and of the sessions, else `provisional`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = "final")]
pub enum Status {
    /// The row changes only if a source reports late.
    Final,
    /// The row can still change.
    Provisional,
}

impl Row {
    /// Returns the wire form of a row. `offsets` remembers the offsets of the last rows.
    #[must_use]
    pub fn new(row: AttendanceRow, offsets: &mut Offsets) -> Self {
        let mut local = |at| LocalTime::new(at, &row.time_zone, offsets);
        Self {
            date: row.date,
            first_login: row.first_login_at.map(&mut local),
            last_logout: row.last_logout_at.map(&mut local),
            user: row.user,
            realm: row.realm,
            employee_id: row.employee_id,
            sessions: row.sessions,
            worked_seconds: row.worked_seconds,
            active_seconds: row.active_seconds,
            open_sessions: row.open_sessions,
            end_reason: row.end_reason.map(EndReason::from),
            corrected: false,
            status: row.status.into(),
            days: row.days,
            continues_from_previous_day: row.continues.map(|it| it.from_previous_day),
            continues_to_next_day: row.continues.map(|it| it.to_next_day),
        }
    }
}

impl EndReason {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Restart => "restart",
            Self::Timeout => "timeout",
        }
    }
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Final => "final",
            Self::Provisional => "provisional",
        }
    }
}

impl From<AttendanceRow> for Row {
    fn from(row: AttendanceRow) -> Self {
        Self::new(row, &mut Offsets::default())
    }
}

impl From<row::EndReason> for EndReason {
    fn from(reason: row::EndReason) -> Self {
        match reason {
            row::EndReason::Logout => Self::Logout,
            row::EndReason::Restart => Self::Restart,
            row::EndReason::Timeout => Self::Timeout,
        }
    }
}

impl From<row::Status> for Status {
    fn from(status: row::Status) -> Self {
        match status {
            row::Status::Final => Self::Final,
            row::Status::Provisional => Self::Provisional,
        }
    }
}

#[cfg(test)]
mod tests;
