//! Employees: the mappings of persons to records of the HR system.

mod merge;

use jiff::civil::Date;
pub use merge::{Merge, Outcome, Overlap, merge};
use rollcall_wire::quote::quoted;

use crate::{
    DEFAULT_REALM,
    event::{EVENT_ID_BYTES, FieldError, TEXT_BYTES, text},
    name::displayed,
    period::parse_date,
    person::Person,
};

/// Maximum length of an employee ID, in bytes.
pub const EMPLOYEE_ID_BYTES: usize = EVENT_ID_BYTES;
/// Name of the calendar that the settings describe.
pub const DEFAULT_CALENDAR: &str = "default";
/// Name that selects the calendar that the mapping of each person gives.
pub const ASSIGNED_CALENDAR: &str = "assigned";

/// Mapping of a person to an employee on reporting days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// ID of the employee.
    pub employee_id: String,
    /// Named calendar of the person. None: [`DEFAULT_CALENDAR`].
    pub calendar: Option<String>,
    /// First day. None: no bound.
    pub valid_from: Option<Date>,
    /// Last day, included. None: until the next mapping of the person begins.
    pub valid_to: Option<Date>,
}

/// A mapping that is to be added, with its person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMapping {
    /// The person.
    pub person: Person,
    /// Display form of the user, for a person that no event has named yet.
    pub user: String,
    /// Display form of the realm.
    pub realm: String,
    /// The mapping.
    pub mapping: Mapping,
}

/// The texts of a mapping, not yet validated.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "as in the mapping")]
pub struct RawMapping {
    pub user: Option<String>,
    pub realm: Option<String>,
    pub employee_id: Option<String>,
    pub calendar: Option<String>,
    pub valid_from: Option<String>,
    pub valid_to: Option<String>,
}

impl NewMapping {
    /// Validates a mapping. `calendars` are the named calendars.
    ///
    /// # Errors
    /// Names the first field that is missing or invalid.
    pub fn parse(raw: RawMapping, calendars: &[String]) -> Result<Self, FieldError> {
        let user = required("user", raw.user, TEXT_BYTES)?;
        let realm = text("realm", raw.realm, TEXT_BYTES)?;
        let mapping = Mapping {
            employee_id: required("employee_id", raw.employee_id, EMPLOYEE_ID_BYTES)?,
            calendar: calendar(raw.calendar, calendars)?,
            valid_from: date("valid_from", raw.valid_from)?,
            valid_to: date("valid_to", raw.valid_to)?,
        };
        if let (Some(from), Some(to)) = (mapping.valid_from, mapping.valid_to)
            && to < from
        {
            let message = format!("must not be before valid_from (got {from} and {to})");
            return Err(FieldError::new("valid_to", message));
        }
        Ok(Self {
            person: Person::new(&user, realm.as_deref()),
            user: displayed(&user),
            realm: displayed(realm.as_deref().unwrap_or(DEFAULT_REALM)),
            mapping,
        })
    }
}

fn required(
    field: &'static str,
    value: Option<String>,
    bytes: usize,
) -> Result<String, FieldError> {
    text(field, value, bytes)?
        .ok_or_else(|| FieldError::missing(field, &format!("a text of 1 to {bytes} bytes")))
}

fn calendar(value: Option<String>, calendars: &[String]) -> Result<Option<String>, FieldError> {
    match value.filter(|name| !name.is_empty() && name != DEFAULT_CALENDAR) {
        Some(name) if !calendars.contains(&name) => {
            let names =
                std::iter::once(DEFAULT_CALENDAR).chain(calendars.iter().map(String::as_str));
            let names = names.collect::<Vec<_>>().join(", ");
            let message = format!("must be one of {names} (got {})", quoted(&name));
            Err(FieldError::new("calendar", message))
        }
        name => Ok(name),
    }
}

fn date(field: &'static str, value: Option<String>) -> Result<Option<Date>, FieldError> {
    let Some(text) = value.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    parse_date(&text).map(Some).ok_or_else(|| {
        let message = format!(
            "must be a calendar date in the form YYYY-MM-DD (got {})",
            quoted(&text)
        );
        FieldError::new(field, message)
    })
}

#[cfg(test)]
mod tests;
