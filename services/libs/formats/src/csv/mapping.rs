//! Conversion of a row to the mapping of a person to an employee.

use csv::StringRecord;
use rollcall_attendance::employee::{MappingError, NewMapping, RawMapping};

use super::columns::Columns;

/// Parses a row. `calendars` are the named calendars.
///
/// # Errors
/// The first field that is missing or invalid.
pub fn mapping(
    record: &StringRecord,
    columns: &Columns,
    calendars: &[String],
) -> Result<NewMapping, MappingError> {
    let text = |field: &str| columns.value(record, field).map(str::to_owned);
    let raw = RawMapping {
        user: text("user"),
        realm: text("realm"),
        employee_id: text("employee_id"),
        calendar: text("calendar"),
        valid_from: text("valid_from"),
        valid_to: text("valid_to"),
    };
    NewMapping::parse(raw, calendars)
}
