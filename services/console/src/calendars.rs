//! The calendar of a page.

use jiff::{Timestamp, civil::Date};
use rollcall_attendance::calendar::Calendar;
use rollcall_reports::{Admission, Unavailable};
use rollcall_store::{attendance::Calendars, persons::PersonFilter};

use crate::parameters::Invalid;

/// Name of the calendar of the settings.
pub const DEFAULT: &str = "default";
/// Name that selects each employee's own calendar.
pub const ASSIGNED: &str = "assigned";

/// The calendars of the reporting days of a page.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// For the rows.
    pub calendars: Calendars,
    /// Calendar of persons to whom no other is assigned.
    pub default: Calendar,
}

impl Chosen {
    /// Returns the only calendar. None if each employee has their own.
    #[must_use]
    pub fn one(&self) -> Option<&Calendar> {
        match &self.calendars {
            Calendars::One(calendar) => Some(calendar),
            Calendars::Assigned { .. } => None,
        }
    }
}

/// Returns the calendar with this name.
///
/// # Errors
/// There is no such calendar.
pub fn choose(
    name: &str,
    default: Calendar,
    named: &[(String, Calendar)],
) -> Result<Chosen, Vec<Invalid>> {
    let one = |calendar: Calendar| Chosen {
        calendars: Calendars::One(calendar.clone()),
        default: calendar,
    };
    match name {
        DEFAULT => Ok(one(default)),
        ASSIGNED => Ok(Chosen {
            calendars: Calendars::Assigned {
                default: default.clone(),
                named: named.to_vec(),
            },
            default,
        }),
        name => match named.iter().find(|(known, _)| known == name) {
            Some((_, calendar)) => Ok(one(calendar.clone())),
            None => Err(vec![Invalid::new("calendar", name, "invalid.calendar")]),
        },
    }
}

impl Chosen {
    /// Returns the calendar of these persons on a day.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn of(
        &self,
        admission: &Admission<'_>,
        persons: &PersonFilter,
        day: Date,
    ) -> Result<Calendar, Unavailable> {
        let Calendars::Assigned { named, .. } = &self.calendars else {
            return Ok(self.default.clone());
        };
        let assigned = admission.ask(async |connection| {
            rollcall_store::calendars::assigned(connection, persons, day).await
        });
        let assigned = assigned.await?;
        let found = named
            .iter()
            .find(|(name, _)| Some(name) == assigned.as_ref());
        Ok(found.map_or_else(|| self.default.clone(), |(_, calendar)| calendar.clone()))
    }
}

/// Returns the reporting day of an instant.
#[must_use]
pub fn reporting_day(calendar: &Calendar, at: Timestamp) -> Date {
    let date = at.to_zoned(calendar.time_zone.clone()).date();
    let begins_later = calendar
        .bounds(date, date)
        .is_ok_and(|bounds| bounds.first().is_some_and(|start| at < *start));
    if begins_later {
        date.yesterday().unwrap_or(date)
    } else {
        date
    }
}

#[cfg(test)]
mod tests {
    use jiff::{
        civil::{date, time},
        tz::TimeZone,
    };

    use super::*;

    #[test]
    fn reporting_day_begins_at_the_start_of_day() {
        let calendar = Calendar {
            time_zone: TimeZone::get("Asia/Kolkata").expect("a zone"),
            start_of_day: time(4, 0, 0, 0),
        };
        let day = |at: &str| reporting_day(&calendar, at.parse().expect("an instant"));
        assert_eq!(day("2025-01-01T22:29:59Z"), date(2025, 1, 1));
        assert_eq!(day("2025-01-01T22:30:00Z"), date(2025, 1, 2));
    }
}
