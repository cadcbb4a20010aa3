//! The parameters `calendar`, `time_zone` and `start_of_day`.

use jiff::civil::{Date, Time};
use rollcall_attendance::{
    calendar::Calendar,
    employee::{ASSIGNED_CALENDAR, DEFAULT_CALENDAR},
    period::{PeriodError, parse_time},
};
use rollcall_platform::envelope::Problem;
use rollcall_store::{attendance::Calendars, calendars};
use rollcall_wire::{FieldError, quote::quoted};

use super::parameters::{Parameters, parse_name};
use crate::reports::{Admission, Reports};

/// The calendar that a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CalendarParameter {
    /// A calendar by its name.
    Named(String),
    /// A time zone and a start of day.
    AdHoc(Calendar),
    /// Each employee's own calendar.
    Assigned,
}

/// The calendar of a response.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// Name of the calendar. None if the request had a time zone or a start of day.
    pub name: Option<String>,
    /// The calendars of the reporting days.
    pub calendars: Calendars,
}

impl CalendarParameter {
    /// Takes the parameters. `default` gives what the request leaves out.
    pub fn take(parameters: &mut Parameters, default: &Calendar) -> Self {
        let name = parameters.one("calendar", "the name of a calendar", parse_name);
        let time_zone = parameters.time_zone();
        let accepted = "a time in the form HH:MM:SS, from 00:00:00 to 23:59:59";
        let start_of_day = parameters.one("start_of_day", accepted, parse_time);
        let is_ad_hoc = parameters.has("time_zone") || parameters.has("start_of_day");
        if is_ad_hoc && parameters.has("calendar") {
            let message = "must not be combined with time_zone or start_of_day";
            parameters.fail("calendar", message.to_owned());
        }
        match name {
            Some(name) if name == ASSIGNED_CALENDAR => Self::Assigned,
            Some(name) => Self::Named(name),
            None if is_ad_hoc => Self::AdHoc(Calendar {
                time_zone: time_zone.unwrap_or_else(|| default.time_zone.clone()),
                start_of_day: start_of_day.unwrap_or(default.start_of_day),
            }),
            None => Self::Named(DEFAULT_CALENDAR.to_owned()),
        }
    }

    /// Checks that the dates are a period, and not too long. Only the end of all calendars can
    /// differ in a calendar that is looked up later.
    pub fn check_period(
        &self,
        parameters: &mut Parameters,
        reports: &Reports,
        dates: (Option<Date>, Option<Date>),
    ) {
        let (Some(first), Some(last)) = dates else {
            return;
        };
        let default = reports.default_calendar();
        let calendar = match self {
            Self::AdHoc(calendar) => calendar,
            _ => &default,
        };
        if let Err(error) = reports.period(first, last, calendar) {
            let FieldError { field, message } = of_period(&error);
            parameters.fail(field, message);
        }
    }

    /// Returns the calendar, looking up its name.
    ///
    /// # Errors
    /// 400 if there is no calendar of that name. 503 if the database does not answer.
    pub async fn resolve(
        self,
        admission: &Admission<'_>,
        reports: &Reports,
    ) -> Result<Chosen, Problem> {
        let default = reports.default_calendar();
        let one = |name, calendar| Chosen {
            name,
            calendars: Calendars::One(calendar),
        };
        let name = match self {
            Self::AdHoc(calendar) => return Ok(one(None, calendar)),
            Self::Named(name) if name == DEFAULT_CALENDAR => return Ok(one(Some(name), default)),
            Self::Named(name) => name,
            Self::Assigned => ASSIGNED_CALENDAR.to_owned(),
        };
        let mut named = admission.ask(calendars::list).await?;
        if name == ASSIGNED_CALENDAR {
            let calendars = Calendars::Assigned { default, named };
            let name = Some(name);
            return Ok(Chosen { name, calendars });
        }
        match named.iter().position(|(known, _)| *known == name) {
            Some(index) => Ok(one(Some(name), named.swap_remove(index).1)),
            None => Err(unknown(&name, &named)),
        }
    }
}

impl Chosen {
    /// Checks that the dates are a period of each calendar. [`CalendarParameter::check_period`] has
    /// checked most of it before the names of calendars were looked up.
    ///
    /// # Errors
    /// 400 that names the date.
    pub fn check(&self, reports: &Reports, first: Date, last: Date) -> Result<(), Problem> {
        let check = |calendar| reports.period(first, last, calendar).map(drop);
        let result = match &self.calendars {
            Calendars::One(calendar) => check(calendar),
            Calendars::Assigned { default, named } => std::iter::once(default)
                .chain(named.iter().map(|(_, calendar)| calendar))
                .try_for_each(check),
        };
        result.map_err(|error| Problem::invalid_fields(vec![of_period(&error)]))
    }
}

fn unknown(name: &str, named: &[(String, Calendar)]) -> Problem {
    let known = named.iter().map(|(name, _)| name.as_str());
    let known: Vec<&str> = [DEFAULT_CALENDAR, ASSIGNED_CALENDAR]
        .into_iter()
        .chain(known)
        .collect();
    let message = format!("must be one of {} (got {})", known.join(", "), quoted(name));
    Problem::invalid_fields(vec![FieldError::new("calendar", message)])
}

fn of_period(error: &PeriodError) -> FieldError {
    match error {
        PeriodError::Reversed { start, end } => FieldError::new(
            "start_date",
            format!("must not be after end_date (got {start} and {end})"),
        ),
        PeriodError::TooLong { days, limit } => FieldError::new(
            "end_date",
            format!(
                "must be less than {limit} days after start_date (got a period of {days} days); \
                 request it in parts"
            ),
        ),
        PeriodError::BeyondCalendar { end } => FieldError::new(
            "end_date",
            format!("must be at most 9999-12-30 (got {end})"),
        ),
    }
}

/// Writes a start of day as the parameter takes it.
#[must_use]
pub fn start_of_day(time: Time) -> String {
    time.strftime("%H:%M:%S").to_string()
}
