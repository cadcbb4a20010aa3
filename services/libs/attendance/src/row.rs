//! Rows of attendance reports.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// Attendance of a person or an employee, on a reporting day or in a whole period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttendanceRow {
    /// The reporting day. None in a row for a whole period.
    pub date: Option<Date>,
    /// Number of reporting days with a session. None in a row for one day.
    pub days: Option<i64>,
    /// Display form of the user. An employee with several persons has the names of the person that
    /// comes first by (normalized user, normalized realm).
    pub user: String,
    /// Display form of the realm.
    pub realm: String,
    /// The employee to whom the person is mapped on the day; in a row for a period, on the last day
    /// of the period on which the person is mapped. None if the person is not mapped.
    pub employee_id: Option<String>,
    /// Earliest login. None in a row without sessions.
    pub first_login_at: Option<Timestamp>,
    /// Latest end. None while a session is open, and in a row without sessions.
    pub last_logout_at: Option<Timestamp>,
    /// Number of sessions.
    pub sessions: i64,
    /// Length of the union of the intervals of the sessions, in whole seconds. An open session
    /// counts up to its last activity.
    pub worked_seconds: i64,
    /// Sum of the active time that the sources measured. None if a session lacks it.
    pub active_seconds: Option<i64>,
    /// Number of open sessions.
    pub open_sessions: i64,
    /// Reason of the end of the session that ends last. None while a session is open.
    pub end_reason: Option<EndReason>,
    /// Says whether sessions continue beyond the day. None unless sessions count in every day that
    /// they touch.
    pub continues: Option<Continues>,
    /// Status of the row: whether the row can still change.
    pub status: Status,
    /// Time zone in which the times are shown.
    pub time_zone: TimeZone,
}

/// Time during which an employee was connected, as the union of sessions that overlap or touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// The reporting day in which the interval begins.
    pub date: Date,
    /// The employee. None if the person is not mapped on the day.
    pub employee_id: Option<String>,
    /// Display form of the user, as in [`AttendanceRow::user`].
    pub user: String,
    /// Display form of the realm.
    pub realm: String,
    /// First login.
    pub start_at: Timestamp,
    /// Last end. None while a session is open.
    pub end_at: Option<Timestamp>,
    /// Status of the interval: whether the interval can still change.
    pub status: Status,
    /// Time zone in which the times are shown.
    pub time_zone: TimeZone,
}

/// Says whether sessions began before the day or end after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Continues {
    /// A session began on an earlier day.
    pub from_previous_day: bool,
    /// A session ends on a later day.
    pub to_next_day: bool,
}

/// Reason why a session has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// The source reported the logout.
    Logout,
    /// The source restarted.
    Restart,
    /// There was no activity for the configured time.
    Timeout,
}

impl EndReason {
    /// Returns the name that clients see and the database returns.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Restart => "restart",
            Self::Timeout => "timeout",
        }
    }

    /// Parses the name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Logout, Self::Restart, Self::Timeout]
            .into_iter()
            .find(|reason| reason.as_str() == name)
    }
}

/// Status of a row: whether the row can still change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The row can no longer change: no session is open, and all sources are complete through the
    /// end of the day and of the sessions.
    Final,
    /// The row can still change.
    Provisional,
}

impl Status {
    /// Returns the name that clients see.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Final => "final",
            Self::Provisional => "provisional",
        }
    }
}
