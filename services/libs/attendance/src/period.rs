//! Reporting days and periods of reporting days, in the reporting time zone.

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::{AmbiguousOffset, Offset, TimeZone},
};

/// Range of instants from the start of the first reporting day to the end of the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Start, included.
    pub start: Timestamp,
    /// End, not included.
    pub end: Timestamp,
}

/// Reason why two dates are not a valid period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// The start lies after the end.
    #[error("the start date must not be after the end date (got {start} and {end})")]
    Reversed {
        /// First day.
        start: Date,
        /// Last day.
        end: Date,
    },
    /// The period has more days than are allowed.
    #[error("the period must have at most {limit} days (got {days}); request it in parts")]
    TooLong {
        /// Number of days in the period.
        days: i64,
        /// Maximum number of days.
        limit: i64,
    },
    /// The end of the last day cannot be represented.
    #[error("the end date must be at most 9999-12-30 (got {end})")]
    BeyondCalendar {
        /// Last day.
        end: Date,
    },
}

impl Period {
    /// Returns the period from `first` to `last`, both included. Its days begin at `start_of_day`
    /// in `zone`.
    ///
    /// # Errors
    /// See [`PeriodError`].
    pub fn new(
        first: Date,
        last: Date,
        start_of_day: Time,
        zone: &TimeZone,
        limit: i64,
    ) -> Result<Self, PeriodError> {
        if first > last {
            return Err(PeriodError::Reversed {
                start: first,
                end: last,
            });
        }
        let days = i64::from((last - first).get_days()) + 1;
        if days > limit {
            return Err(PeriodError::TooLong { days, limit });
        }
        let beyond = |_| PeriodError::BeyondCalendar { end: last };
        let end = last
            .tomorrow()
            .and_then(|day| day_start(day, start_of_day, zone))
            .map_err(beyond)?;
        Ok(Self {
            start: day_start(first, start_of_day, zone).map_err(beyond)?,
            end,
        })
    }
}

/// Returns the start of the reporting day of `date`.
///
/// If a clock change skips the local time, this is the first instant after the gap. If the local
/// time occurs twice, this is the earlier instant.
///
/// # Errors
/// The instant cannot be represented.
pub fn day_start(
    date: Date,
    start_of_day: Time,
    zone: &TimeZone,
) -> Result<Timestamp, jiff::Error> {
    let local = date.to_datetime(start_of_day);
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local),
        AmbiguousOffset::Gap { before, after } => gap_end(local, before, after, zone),
    }
}

/// Returns the first instant after the gap that contains `local`. With the offset after the gap,
/// `local` is an instant before the clock change, so the change is the next transition.
fn gap_end(
    local: jiff::civil::DateTime,
    before: Offset,
    after: Offset,
    zone: &TimeZone,
) -> Result<Timestamp, jiff::Error> {
    let earlier = after.to_timestamp(local)?;
    match zone.following(earlier).next() {
        Some(transition) => Ok(transition.timestamp()),
        None => before.to_timestamp(local),
    }
}

/// Parses a calendar date in the form `YYYY-MM-DD`.
#[must_use]
pub fn parse_date(text: &str) -> Option<Date> {
    let [year, month, day] = numbers(text, b'-', [4, 2, 2])?;
    Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()
}

/// Parses a time of day in the form `HH:MM:SS`, from 00:00:00 to 23:59:59.
#[must_use]
pub fn parse_time(text: &str) -> Option<Time> {
    let [hour, minute, second] = numbers(text, b':', [2, 2, 2])?;
    Time::new(
        hour.try_into().ok()?,
        minute.try_into().ok()?,
        second.try_into().ok()?,
        0,
    )
    .ok()
}

fn numbers(text: &str, separator: u8, widths: [usize; 3]) -> Option<[i16; 3]> {
    let mut numbers = [0; 3];
    let mut parts = text.split(char::from(separator));
    for (number, width) in numbers.iter_mut().zip(widths) {
        let part = parts.next()?;
        if part.len() != width || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    fn start(day: Date, hour: i8, minute: i8, zone: &str) -> String {
        let zone = TimeZone::get(zone).expect("a zone");
        day_start(day, time(hour, minute, 0, 0), &zone)
            .expect("an instant")
            .to_string()
    }

    #[test]
    fn skipped_start_of_day_is_first_instant_after_gap() {
        assert_eq!(
            start(date(2025, 3, 30), 2, 30, "Europe/Berlin"),
            "2025-03-30T01:00:00Z"
        );
        assert_eq!(
            start(date(2025, 3, 30), 2, 0, "Europe/Berlin"),
            "2025-03-30T01:00:00Z"
        );
        assert_eq!(
            start(date(2025, 3, 9), 2, 59, "America/New_York"),
            "2025-03-09T07:00:00Z"
        );
        assert_eq!(
            start(date(2025, 10, 5), 2, 10, "Australia/Lord_Howe"),
            "2025-10-04T15:30:00Z"
        );
        assert_eq!(
            start(date(2011, 12, 30), 9, 0, "Pacific/Apia"),
            "2011-12-30T10:00:00Z"
        );
    }

    #[test]
    fn repeated_start_of_day_is_earlier_instant() {
        assert_eq!(
            start(date(2025, 10, 26), 2, 30, "Europe/Berlin"),
            "2025-10-26T00:30:00Z"
        );
        assert_eq!(
            start(date(2025, 11, 2), 1, 30, "America/New_York"),
            "2025-11-02T05:30:00Z"
        );
        assert_eq!(
            start(date(2025, 4, 6), 1, 45, "Australia/Lord_Howe"),
            "2025-04-05T14:45:00Z"
        );
    }

    #[test]
    fn unambiguous_start_of_day_is_that_instant() {
        assert_eq!(
            start(date(2025, 1, 1), 6, 0, "Asia/Kolkata"),
            "2025-01-01T00:30:00Z"
        );
    }

    #[test]
    fn period_out_of_range_returns_error() {
        let new = |first, last| Period::new(first, last, time(0, 0, 0, 0), &TimeZone::UTC, 366);
        assert_eq!(
            new(date(2025, 1, 1), date(2025, 1, 1))
                .expect("a period")
                .end
                .to_string(),
            "2025-01-02T00:00:00Z"
        );
        assert!(new(date(2024, 1, 1), date(2024, 12, 31)).is_ok());
        assert!(matches!(
            new(date(2024, 1, 1), date(2025, 1, 1)),
            Err(PeriodError::TooLong { days: 367, .. })
        ));
        assert!(matches!(
            new(date(2025, 1, 2), date(2025, 1, 1)),
            Err(PeriodError::Reversed { .. })
        ));
        assert!(matches!(
            new(date(9999, 12, 31), date(9999, 12, 31)),
            Err(PeriodError::BeyondCalendar { .. })
        ));
    }

    #[test]
    fn date_or_time_in_another_format_is_rejected() {
        assert_eq!(parse_date("2024-02-29"), Some(date(2024, 2, 29)));
        for bad in [
            "2025-02-29",
            "2025-1-01",
            "2025-01-01 ",
            "+025-01-01",
            "01-01-2025",
            "2025/01/01",
            "2025-01-01T00:00:00",
            "",
        ] {
            assert_eq!(parse_date(bad), None, "{bad:?}");
        }
        assert_eq!(parse_time("23:59:59"), Some(time(23, 59, 59, 0)));
        for bad in [
            "24:00:00",
            "23:59:60",
            "9:00:00",
            "09:00",
            "09:00:00Z",
            "-9:00:00",
            "",
        ] {
            assert_eq!(parse_time(bad), None, "{bad:?}");
        }
    }
}
