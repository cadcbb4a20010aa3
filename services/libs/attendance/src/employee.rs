//! Employees: the mappings of persons to records of the HR system.

mod mapping_error;
mod merge;

use std::iter;

use jiff::civil::Date;
pub use mapping_error::{Fault, MappingError};
pub use merge::{Merge, Outcome, Overlap, merge};

use crate::{
    DEFAULT_REALM,
    event::{EVENT_ID_BYTES, TEXT_BYTES},
    name::displayed,
    period::parse_date,
    person::Person,
    text::text,
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
    pub fn parse(raw: RawMapping, calendars: &[String]) -> Result<Self, MappingError> {
        let of = |field| move |fault| MappingError { field, fault };
        let user = required(raw.user, TEXT_BYTES).map_err(of("user"))?;
        let realm = text(raw.realm, TEXT_BYTES).map_err(Fault::Text);
        let realm = realm.map_err(of("realm"))?;
        let employee_id = required(raw.employee_id, EMPLOYEE_ID_BYTES);
        let mapping = Mapping {
            employee_id: employee_id.map_err(of("employee_id"))?,
            calendar: calendar(raw.calendar, calendars).map_err(of("calendar"))?,
            valid_from: date(raw.valid_from).map_err(of("valid_from"))?,
            valid_to: date(raw.valid_to).map_err(of("valid_to"))?,
        };
        if let (Some(from), Some(to)) = (mapping.valid_from, mapping.valid_to)
            && to < from
        {
            return Err(of("valid_to")(Fault::EndBeforeStart { from, to }));
        }
        Ok(Self {
            person: Person::new(&user, realm.as_deref()),
            user: displayed(&user),
            realm: displayed(realm.as_deref().unwrap_or(DEFAULT_REALM)),
            mapping,
        })
    }
}

fn required(value: Option<String>, max_bytes: usize) -> Result<String, Fault> {
    text(value, max_bytes)?.ok_or(Fault::Missing { max_bytes })
}

fn calendar(value: Option<String>, calendars: &[String]) -> Result<Option<String>, Fault> {
    match value.filter(|name| !name.is_empty() && name != DEFAULT_CALENDAR) {
        Some(name) if !calendars.contains(&name) => {
            let names = iter::once(DEFAULT_CALENDAR).chain(calendars.iter().map(String::as_str));
            let accepted = names.collect::<Vec<_>>().join(", ");
            Err(Fault::UnknownCalendar { name, accepted })
        }
        name => Ok(name),
    }
}

fn date(value: Option<String>) -> Result<Option<Date>, Fault> {
    let Some(text) = value.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let date = parse_date(&text);
    date.map(Some).ok_or(Fault::NoDate(text))
}

#[cfg(test)]
mod tests;
