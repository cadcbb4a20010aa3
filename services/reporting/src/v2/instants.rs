//! The parameters `start` and `end` of a period of instants.

use jiff::{Timestamp, civil::Date};
use rollcall_attendance::{calendar::Calendar, period::PeriodError, time};
use rollcall_platform::envelope::Problem;
use rollcall_wire::FieldError;

use super::parameters::Parameters;
use crate::reports::Reports;

/// A period of instants, and the reporting days of the calendar `default` that it touches.
#[derive(Debug)]
pub struct Instants {
    /// Start, included.
    pub start: Timestamp,
    /// End, not included.
    pub end: Timestamp,
    /// The first reporting day.
    pub first_day: Date,
    /// Bounds of the reporting days.
    pub day_bounds: Vec<Timestamp>,
}

/// Takes the parameters `start` and `end`.
pub fn take(parameters: &mut Parameters) -> Option<(Timestamp, Timestamp)> {
    let accepted = "a time with an offset, such as 2025-01-01T00:00:00Z; a + is sent as %2B";
    let mut instant = |name| parameters.required(name, accepted, time::parse);
    let (start, end) = (instant("start"), instant("end"));
    let (start, end) = start.zip(end)?;
    if start > end {
        let message = format!("must not be after end (got {start} and {end})");
        parameters.fail("start", message);
    }
    Some((start, end))
}

impl Instants {
    /// Checks the length of a period and finds its reporting days.
    ///
    /// # Errors
    /// 400 if the period is longer than the setting allows, or at the end of all calendars.
    pub fn new(reports: &Reports, (start, end): (Timestamp, Timestamp)) -> Result<Self, Problem> {
        let calendar = reports.default_calendar();
        let beyond = |_| invalid("must be a time that local calendars can represent".to_owned());
        let days = days(&calendar, start, end).map_err(beyond)?;
        // A period of the maximum length touches one more day unless it begins with a day.
        let second = days.0.tomorrow().map_err(beyond)?.min(days.1);
        match reports.period(second, days.1, &calendar) {
            Err(PeriodError::TooLong { limit, .. }) => Err(invalid(format!(
                "must be at most {limit} days after start; request the period in parts"
            ))),
            Err(error) => Err(invalid(format!("is not possible: {error}"))),
            Ok(_) => Ok(Self {
                start,
                end,
                first_day: days.0,
                day_bounds: calendar.bounds(days.0, days.1).map_err(beyond)?,
            }),
        }
    }
}

fn days(
    calendar: &Calendar,
    start: Timestamp,
    end: Timestamp,
) -> Result<(Date, Date), jiff::Error> {
    Ok((calendar.day_of(start)?, calendar.day_of(end)?))
}

fn invalid(message: String) -> Problem {
    Problem::invalid_fields(vec![FieldError::new("end", message)])
}
