//! The reporting days of a selection, in each of its calendars.

use std::collections::BTreeMap;

use diesel::result::Error as DieselError;
use jiff::{Timestamp, civil::Date};
use jiff_diesel::ToDiesel;
use rollcall_attendance::calendar::Calendar;

use super::{Calendars, Selection};
use crate::pool::Error;

/// The reporting days from the first to the last of a selection.
pub(super) struct Days(Vec<CalendarDays>);

/// The reporting days of a calendar. Days that the time zone skips are not among them: such a day
/// has no rows, not even of absent persons.
pub(super) struct CalendarDays {
    /// None for the default calendar and for the calendar of all persons.
    pub(super) name: Option<String>,
    pub(super) calendar: Calendar,
    /// Start and end by date.
    days: BTreeMap<Date, (Timestamp, Timestamp)>,
    /// End of the last day.
    end: Timestamp,
}

/// A reporting day of a calendar.
pub(super) struct Day<'a> {
    pub(super) calendar: Option<&'a str>,
    pub(super) date: Date,
    pub(super) start_at: Timestamp,
    pub(super) end_at: Timestamp,
}

/// Reporting days as parameters of a statement.
pub(super) struct Columns {
    pub(super) dates: Vec<jiff_diesel::Date>,
    pub(super) calendars: Vec<Option<String>>,
    pub(super) starts: Vec<jiff_diesel::Timestamp>,
    pub(super) ends: Vec<jiff_diesel::Timestamp>,
}

impl Columns {
    pub(super) fn of(days: &[Day]) -> Self {
        let days = days.iter();
        Self {
            dates: days.clone().map(|day| day.date.to_diesel()).collect(),
            calendars: days
                .clone()
                .map(|day| day.calendar.map(Into::into))
                .collect(),
            starts: days.clone().map(|day| day.start_at.to_diesel()).collect(),
            ends: days.map(|day| day.end_at.to_diesel()).collect(),
        }
    }
}

impl Days {
    /// Returns the days of a selection.
    ///
    /// # Errors
    /// A bound of a day cannot be represented.
    pub(super) fn new(selection: &Selection) -> Result<Self, Error> {
        let calendars = match &selection.calendars {
            Calendars::One(calendar) => vec![(None, calendar)],
            Calendars::Assigned { default, named } => {
                let named = named.iter();
                let named = named.map(|(name, calendar)| (Some(name.clone()), calendar));
                [(None, default)].into_iter().chain(named).collect()
            }
        };
        let days = calendars.into_iter().map(|(name, calendar)| {
            CalendarDays::new(name, calendar, selection.first, selection.last)
        });
        let days = days.collect::<Result<_, jiff::Error>>();
        days.map(Self)
            .map_err(|error| Error::Failed(DieselError::SerializationError(error.into())))
    }

    /// Returns the days of all calendars from `first` to `last`, both included.
    pub(super) fn between(&self, first: Date, last: Date) -> Vec<Day<'_>> {
        let calendars = self.0.iter();
        let days = calendars.flat_map(|calendar| {
            let days = calendar.days.range(first..=last);
            days.map(|(&date, &(start_at, end_at))| Day {
                calendar: calendar.name.as_deref(),
                date,
                start_at,
                end_at,
            })
        });
        days.collect()
    }

    /// Returns the earliest start and the latest end of the days of all calendars. None without a
    /// day.
    pub(super) fn bounds(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        let days = || self.0.iter().flat_map(|calendar| calendar.days.values());
        (
            days().map(|(start_at, _)| *start_at).min(),
            days().map(|(_, end_at)| *end_at).max(),
        )
    }

    /// Returns a calendar, or None if the selection does not have it.
    pub(super) fn calendar(&self, name: Option<&str>) -> Option<&CalendarDays> {
        self.0
            .iter()
            .find(|calendar| calendar.name.as_deref() == name)
    }
}

impl CalendarDays {
    fn new(
        name: Option<String>,
        calendar: &Calendar,
        first: Date,
        last: Date,
    ) -> Result<Self, jiff::Error> {
        let bounds = calendar.bounds(first, last)?;
        let dates = first.series(jiff::Span::new().days(1));
        let days = dates.zip(bounds.iter().zip(bounds.iter().skip(1)));
        Ok(Self {
            name,
            calendar: calendar.clone(),
            days: days
                .filter(|(_, (start_at, end_at))| start_at < end_at)
                .map(|(date, (start_at, end_at))| (date, (*start_at, *end_at)))
                .collect(),
            end: bounds.last().copied().unwrap_or(Timestamp::MIN),
        })
    }

    /// Returns the end of a day, or of the last day if no date is given.
    pub(super) fn end(&self, date: Option<Date>) -> Timestamp {
        date.and_then(|date| self.days.get(&date))
            .map_or(self.end, |(_, end_at)| *end_at)
    }
}
