//! The calendar of a page.

use jiff::civil::Date;
use rollcall_attendance::{
    calendar::Calendar,
    employee::{ASSIGNED_CALENDAR, DEFAULT_CALENDAR},
};
use rollcall_reports::{Admission, Unavailable};
use rollcall_store::{attendance::Calendars, calendars, persons::PersonFilter};

use crate::parameters::Invalid;

/// Returns the calendars of a page, by the name that its address gives.
///
/// # Errors
/// There is no such calendar.
pub fn choose(
    name: &str,
    default: Calendar,
    named: &[(String, Calendar)],
) -> Result<Calendars, Vec<Invalid>> {
    match name {
        DEFAULT_CALENDAR => Ok(Calendars::One(default)),
        ASSIGNED_CALENDAR => Ok(Calendars::Assigned {
            default,
            named: named.to_vec(),
        }),
        name => match named.iter().find(|(known, _)| known == name) {
            Some((_, calendar)) => Ok(Calendars::One(calendar.clone())),
            None => Err(vec![Invalid::new("calendar", name, "invalid.calendar")]),
        },
    }
}

/// Returns the calendar of these persons on a day.
///
/// # Errors
/// The database does not answer.
pub async fn on_day(
    calendars: &Calendars,
    admission: &Admission<'_>,
    persons: &PersonFilter,
    day: Date,
) -> Result<Calendar, Unavailable> {
    let Calendars::Assigned { default, named } = calendars else {
        return Ok(calendars.default().clone());
    };
    let assigned = admission
        .ask(async |connection| calendars::assigned(connection, persons, day).await)
        .await?;
    let found = named
        .iter()
        .find(|(name, _)| Some(name) == assigned.as_ref());
    Ok(found.map_or(default, |(_, calendar)| calendar).clone())
}
