//! Calendars: where and when reporting days begin.

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};

use crate::period::day_start;

/// A pair of time zone and start of day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// Time zone in which days begin and times are shown.
    pub time_zone: TimeZone,
    /// Local time at which a reporting day begins.
    pub start_of_day: Time,
}

impl Calendar {
    /// Returns the start of each reporting day from `first` to `last`, both included, and the end of
    /// the last one. Where the zone skips a whole day, two bounds are equal. No bounds if `first`
    /// is after `last`.
    ///
    /// # Errors
    /// A bound cannot be represented.
    pub fn bounds(&self, first: Date, last: Date) -> Result<Vec<Timestamp>, jiff::Error> {
        let days = (first <= last).then(|| first.series(jiff::Span::new().days(1)));
        days.into_iter()
            .flatten()
            .take_while(|day| *day <= last)
            .chain((first <= last).then(|| last.tomorrow()).transpose()?)
            .map(|day| day_start(day, self.start_of_day, &self.time_zone))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    #[test]
    fn bounds_include_the_end_of_the_last_day() {
        let calendar = Calendar {
            time_zone: TimeZone::get("Europe/Berlin").expect("a zone"),
            start_of_day: time(4, 0, 0, 0),
        };
        let bounds = calendar
            .bounds(date(2025, 3, 29), date(2025, 3, 30))
            .expect("bounds");
        assert_eq!(
            bounds.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "2025-03-29T03:00:00Z",
                "2025-03-30T02:00:00Z",
                "2025-03-31T02:00:00Z"
            ]
        );
        let none = calendar.bounds(date(2025, 3, 30), date(2025, 3, 29));
        assert_eq!(none.expect("bounds"), []);
    }
}
