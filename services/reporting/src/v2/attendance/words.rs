//! Words that parameters of `/api/v2/attendance` take.

use rollcall_store::attendance::{Attribution, Grouping, Subject};
use serde::Deserialize;
use utoipa::ToSchema;

/// Value of `group_by`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// A row per reporting day.
    Day,
    /// A row for the whole period.
    Period,
}

/// Value of `subject`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubjectWord {
    /// A row per person.
    Person,
    /// A row per employee.
    Employee,
}

/// Value of `attribution`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttributionWord {
    /// A session belongs to the day in which it began.
    Login,
    /// A session counts in every day that it touches.
    Overlap,
}

/// Value of `include`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Include {
    /// Rows of employees who were absent.
    Absent,
}

impl From<GroupBy> for Grouping {
    fn from(word: GroupBy) -> Self {
        match word {
            GroupBy::Day => Self::Day,
            GroupBy::Period => Self::Period,
        }
    }
}

impl From<SubjectWord> for Subject {
    fn from(word: SubjectWord) -> Self {
        match word {
            SubjectWord::Person => Self::Person,
            SubjectWord::Employee => Self::Employee,
        }
    }
}

impl From<AttributionWord> for Attribution {
    fn from(word: AttributionWord) -> Self {
        match word {
            AttributionWord::Login => Self::Login,
            AttributionWord::Overlap => Self::Overlap,
        }
    }
}

/// Value of `unmapped`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unmapped {
    /// Persons without an employee are left out.
    Skip,
}

/// Value of `provisional`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProvisionalWord {
    /// Intervals that can still change are in the file.
    Include,
}
