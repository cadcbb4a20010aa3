//! Attendance: the rows of reports, computed from sessions at the moment of the call.

mod days;
mod intervals;
mod parts;
mod row;
mod rows;
mod snapshot;
mod statement;
mod unmapped;

pub use intervals::intervals;
use jiff::{SignedDuration, Timestamp, civil::Date};
use rollcall_attendance::{calendar::Calendar, name::normalize, row::AttendanceRow};
pub use rows::rows;
pub use unmapped::unmapped;

/// Selects the rows of a report. Users, realms and employee IDs select persons, and the report is
/// as if there were no others. A person belongs to a selected employee on the days of the mapping.
#[derive(Debug, Clone)]
pub struct Selection {
    /// First reporting day.
    pub first: Date,
    /// Last reporting day, included.
    pub last: Date,
    /// Calendars of the reporting days.
    pub calendars: Calendars,
    /// Users in any case. Empty selects all.
    pub users: Vec<String>,
    /// Realms in any case. Empty selects all.
    pub realms: Vec<String>,
    /// Employee IDs. Empty selects all, unmapped persons too.
    pub employee_ids: Vec<String>,
    /// Names of sources. Selects persons with a login through one of them in the period; their rows
    /// have the sessions of all sources. Empty selects all.
    pub sources: Vec<String>,
    /// Extent of a row: a day or the whole period.
    pub grouping: Grouping,
    /// Subject of a row: a person or an employee.
    pub subject: Subject,
    /// To which days a session belongs.
    pub attribution: Attribution,
    /// Adds a row without sessions for each employee who is mapped on a day and was absent.
    pub include_absent: bool,
}

/// Calendars of a report.
#[derive(Debug, Clone)]
pub enum Calendars {
    /// A single calendar for all persons.
    One(Calendar),
    /// The calendar that the mapping of the person gives on the day, or else the default.
    Assigned {
        /// Calendar of persons without a mapping or whose mapping names no calendar.
        default: Calendar,
        /// All named calendars.
        named: Vec<(String, Calendar)>,
    },
}

impl Calendars {
    /// Returns the only calendar. None if each employee has their own.
    #[must_use]
    pub fn one(&self) -> Option<&Calendar> {
        match self {
            Self::One(calendar) => Some(calendar),
            Self::Assigned { .. } => None,
        }
    }

    /// Returns the calendar of persons to whom no other is assigned.
    #[must_use]
    pub fn default(&self) -> &Calendar {
        match self {
            Self::One(default) | Self::Assigned { default, .. } => default,
        }
    }
}

/// Extent of a row: a day or the whole period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// A row per person and reporting day.
    Day,
    /// A row per person.
    Period,
}

/// Subject of a row: a person or an employee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A row for each person.
    Person,
    /// A row for each employee. A person that is not mapped has a row of its own.
    Employee,
}

/// To which reporting days a session belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribution {
    /// To the day of its login, as a whole.
    Login,
    /// To every day that it touches. Its times are cut at the bounds of the day. An open session is
    /// open in all its rows. A row with a session that is cut has no active time, because sources
    /// measure whole sessions.
    Overlap,
}

/// The place of a row in the order of a report, by date, user, realm and employee ID. Only rows of
/// a period for employees need the employee ID: a person can be of several employees in a period.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The reporting day. None for rows of a period.
    pub date: Option<Date>,
    /// Normalized user.
    pub user: String,
    /// Normalized realm.
    pub realm: String,
    /// Employee ID. None comes first.
    pub employee_id: Option<String>,
}

impl Position {
    /// Returns the position of a row.
    #[must_use]
    pub fn of(row: &AttendanceRow) -> Self {
        Self {
            date: row.date,
            user: normalize(&row.user),
            realm: normalize(&row.realm),
            employee_id: row.employee_id.clone(),
        }
    }
}

/// A part of a report.
#[derive(Debug, Clone)]
pub struct Page {
    /// Only rows after this one. None from the beginning.
    pub after: Option<Position>,
    /// Maximum number of rows.
    pub limit: u32,
}

/// The moment of a report, on which open sessions and completeness depend.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The present time.
    pub now: Timestamp,
    /// Maximum time without activity of a session.
    pub timeout: SignedDuration,
}
