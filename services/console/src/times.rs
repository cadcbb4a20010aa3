//! Times and lengths as a page shows them: in the zone of its calendar and in its language.

use jiff::{
    SignedDuration, Timestamp,
    civil::Date,
    fmt::strtime,
    tz::{AmbiguousOffset, TimeZone},
};

use crate::messages::Language;

/// Writes times for the page of a day.
#[derive(Debug, Clone)]
pub struct Times {
    /// Language of the page.
    pub language: Language,
    /// Time zone of the calendar.
    pub zone: TimeZone,
    /// The day that the page shows. Times of this date are written without their date.
    pub day: Date,
}

impl Times {
    /// Returns the message `key` with its placeholders replaced.
    #[must_use]
    pub fn say(&self, key: &'static str, values: &[(&str, &str)]) -> String {
        self.language.with(key, values)
    }

    /// Writes the time of day, such as `17:58`. A local time that occurs twice on its date has the
    /// abbreviation of its offset: `02:30 CEST`.
    #[must_use]
    pub fn clock(&self, at: Timestamp) -> String {
        let local = at.to_zoned(self.zone.clone());
        let ambiguous = self.zone.to_ambiguous_zoned(local.datetime()).offset();
        let form = match ambiguous {
            AmbiguousOffset::Fold { .. } => "%H:%M %Z",
            _ => "%H:%M",
        };
        strtime::format(form, &local).unwrap_or_else(|_| local.time().to_string())
    }

    /// Writes a time within a sentence, with its date unless it is that of the page.
    #[must_use]
    pub fn moment(&self, at: Timestamp) -> String {
        let time = self.clock(at);
        match at.to_zoned(self.zone.clone()).date() {
            date if date == self.day => self.say("time.of_day", &[("time", &time)]),
            date => {
                let date = self.date(date);
                self.say("time.of_other_day", &[("time", &time), ("date", &date)])
            }
        }
    }

    /// Writes a time within a table: the time of day, with its date unless it is that of the page.
    #[must_use]
    pub fn short(&self, at: Timestamp) -> String {
        if at.to_zoned(self.zone.clone()).date() == self.day {
            self.clock(at)
        } else {
            self.date_and_clock(at)
        }
    }

    /// Writes a date, such as `2 January 2025`.
    #[must_use]
    pub fn date(&self, date: Date) -> String {
        date_in(self.language, date)
    }

    /// Writes a time with its date, such as `2025-01-02 01:30`.
    #[must_use]
    pub fn date_and_clock(&self, at: Timestamp) -> String {
        let date = at.to_zoned(self.zone.clone()).date();
        format!("{date} {}", self.clock(at))
    }

    /// Returns the name of a date's month.
    #[must_use]
    pub fn month(&self, date: Date) -> &'static str {
        month_in(self.language, date)
    }

    /// Returns the name of a date's day of the week.
    #[must_use]
    pub fn weekday(&self, date: Date) -> &'static str {
        let index = date.weekday().to_monday_zero_offset().unsigned_abs();
        self.weekdays()[usize::from(index)]
    }

    /// Returns the days of the week, from Monday.
    #[must_use]
    pub fn weekdays(&self) -> [&'static str; 7] {
        [
            "time.weekday_1",
            "time.weekday_2",
            "time.weekday_3",
            "time.weekday_4",
            "time.weekday_5",
            "time.weekday_6",
            "time.weekday_7",
        ]
        .map(|key| self.language.text(key))
    }

    /// Writes a length of time, such as `24 h` or `1 h 05 min`. Seconds are cut off, unless there is
    /// nothing else.
    #[must_use]
    pub fn length(&self, length: SignedDuration) -> String {
        length_of(length.as_secs())
    }
}

/// Writes a date in a language, such as `2 January 2025`.
#[must_use]
pub fn date_in(language: Language, date: Date) -> String {
    let month = month_in(language, date);
    let (day, year) = (date.day().to_string(), date.year().to_string());
    language.with(
        "time.date",
        &[("day", &day), ("month", month), ("year", &year)],
    )
}

fn month_in(language: Language, date: Date) -> &'static str {
    let months = [
        "time.month_1",
        "time.month_2",
        "time.month_3",
        "time.month_4",
        "time.month_5",
        "time.month_6",
        "time.month_7",
        "time.month_8",
        "time.month_9",
        "time.month_10",
        "time.month_11",
        "time.month_12",
    ];
    let index = usize::from(date.month().unsigned_abs()) - 1;
    language.text(months[index])
}

/// Hours from which a length is written in days.
const MANY_HOURS: i64 = 96;

/// Writes a length of time in seconds, such as `5 d`, `24 h` or `1 h 05 min`.
#[must_use]
pub fn length_of(seconds: i64) -> String {
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match (hours, minutes) {
        (MANY_HOURS.., _) => format!("{} d", hours / 24),
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn times(language: Language, zone: &str, day: Date) -> Times {
        let zone = TimeZone::get(zone).expect("a zone");
        Times {
            language,
            zone,
            day,
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn time_of_another_day_has_its_date() {
        let english = times(Language::English, "Asia/Kolkata", date(2025, 1, 1));
        assert_eq!(english.moment(at("2025-01-01T10:00:00Z")), "15:30");
        assert_eq!(
            english.moment(at("2025-01-01T20:00:00Z")),
            "01:30 on 2 January 2025"
        );
        assert_eq!(
            english.short(at("2025-01-01T20:00:00Z")),
            "2025-01-02 01:30"
        );
        let german = times(Language::German, "Asia/Kolkata", date(2025, 1, 1));
        assert_eq!(german.moment(at("2025-01-01T10:00:00Z")), "15:30 Uhr");
        assert_eq!(
            german.moment(at("2025-03-01T20:00:00Z")),
            "01:30 Uhr am 2. März 2025"
        );
    }

    #[test]
    fn local_time_that_occurs_twice_has_its_zone() {
        let berlin = times(Language::English, "Europe/Berlin", date(2025, 10, 26));
        assert_eq!(berlin.clock(at("2025-10-26T00:30:00Z")), "02:30 CEST");
        assert_eq!(berlin.clock(at("2025-10-26T01:30:00Z")), "02:30 CET");
        assert_eq!(berlin.clock(at("2025-10-26T02:30:00Z")), "03:30");
    }

    #[test]
    fn lengths_have_hours_and_minutes() {
        let lengths = [0, 59, 60, 3_599, 3_600, 3_900, 360_000].map(length_of);
        assert_eq!(
            lengths,
            ["0 s", "59 s", "1 min", "59 min", "1 h", "1 h 05 min", "4 d"]
        );
    }
}
