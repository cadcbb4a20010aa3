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
    /// Returns the start of each reporting day from `first` to `last`, both included, and the end
    /// of the last one. Where the zone skips a whole day, two bounds are equal. No bounds if `first`
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

    /// Returns the reporting day that contains an instant, which is the latest day that starts at or
    /// before it.
    ///
    /// # Errors
    /// A bound of the day cannot be represented.
    pub fn day_of(&self, at: Timestamp) -> Result<Date, jiff::Error> {
        // The local date differs by one day where the day begins after midnight, or where a clock
        // change repeats midnight. A skipped day has the bounds of the day after it.
        let mut day = at.to_zoned(self.time_zone.clone()).date().tomorrow()?;
        while day_start(day, self.start_of_day, &self.time_zone)? > at {
            day = day.yesterday()?;
        }
        Ok(day)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};
    use proptest::prelude::*;

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

    #[test]
    fn reporting_day_begins_at_the_start_of_day() {
        let calendar = Calendar {
            time_zone: TimeZone::get("Asia/Kolkata").expect("a zone"),
            start_of_day: time(4, 0, 0, 0),
        };
        let day = |at: &str| {
            let at = at.parse().expect("an instant");
            calendar.day_of(at).expect("a day")
        };
        assert_eq!(day("2025-01-01T22:29:59Z"), date(2025, 1, 1));
        assert_eq!(day("2025-01-01T22:30:00Z"), date(2025, 1, 2));
    }

    proptest! {
        #[test]
        fn day_of_an_instant_has_the_bounds_around_it(
            second in 1_300_000_000_i64..1_330_000_000,
            zone in prop::sample::select(vec![
                "Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Asia/Kolkata",
                "Pacific/Apia",
            ]),
            hour in 0_i8..24,
        ) {
            let calendar = Calendar {
                time_zone: TimeZone::get(zone).expect("a zone"),
                start_of_day: time(hour, 0, 0, 0),
            };
            let at = Timestamp::new(second, 0).expect("an instant");
            let day = calendar.day_of(at).expect("a day");
            let bounds = calendar.bounds(day, day).expect("bounds");
            prop_assert!(bounds[0] <= at && at < bounds[1], "{} {:?}", day, bounds);
        }
    }
}
