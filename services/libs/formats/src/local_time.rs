//! Local times of gateways as instants.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use rollcall_attendance::period::day_start;

/// Maximum time by which a time without a year may lie after its arrival. A gateway's clock that is
/// further ahead gives the time of the year before.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(31 * 24);
/// Years to go back. The longest time between two leap years is 8 years.
const MAX_YEARS: i16 = 8;

/// Returns the instant of a local time. A time that a clock change skips is the first instant after
/// the gap. Of a time that occurs twice, the earlier instant is returned.
pub(crate) fn instant(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    day_start(local.date(), local.time(), zone).ok()
}

/// Returns the instant of a local time without a year: the latest that lies at most a month after
/// the arrival.
pub(crate) fn instant_without_year(
    (month, day): (i8, i8),
    time: Time,
    zone: &TimeZone,
    received_at: Timestamp,
) -> Option<Timestamp> {
    let latest = received_at.checked_add(MAX_AHEAD).ok()?;
    let last_year = zone.to_datetime(latest).year();
    (0..=MAX_YEARS)
        .filter_map(|years| Date::new(last_year - years, month, day).ok())
        .filter_map(|date| instant(date.to_datetime(time), zone))
        .find(|instant| *instant <= latest)
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;

    fn without_year(month: i8, day: i8, received_at: &str) -> String {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        let received_at = received_at.parse().expect("an instant");
        instant_without_year((month, day), time(0, 30, 0, 0), &zone, received_at)
            .expect("an instant")
            .to_string()
    }

    #[test]
    fn year_is_that_of_the_latest_time_at_most_a_month_after_arrival() {
        for ((month, day), received_at, expected) in [
            ((11, 26), "2026-11-26T09:00:00Z", "2026-11-25T23:30:00Z"),
            ((12, 31), "2027-01-01T00:00:10Z", "2026-12-30T23:30:00Z"),
            ((1, 1), "2026-12-31T23:29:00Z", "2026-12-31T23:30:00Z"),
            ((2, 29), "2028-03-01T00:00:00Z", "2028-02-28T23:30:00Z"),
            ((2, 29), "2027-12-01T00:00:00Z", "2024-02-28T23:30:00Z"),
            ((12, 20), "2026-11-26T09:00:00Z", "2026-12-19T23:30:00Z"),
            ((3, 1), "2026-11-26T09:00:00Z", "2026-02-28T23:30:00Z"),
        ] {
            assert_eq!(
                without_year(month, day, received_at),
                expected,
                "{month}-{day}"
            );
        }
    }

    #[test]
    fn skipped_time_is_the_end_of_the_gap_and_repeated_time_the_earlier() {
        let zone = TimeZone::get("America/New_York").expect("a zone");
        for (local, expected) in [
            ("2026-03-08T02:30:00", "2026-03-08T07:00:00Z"),
            ("2026-11-01T01:30:00", "2026-11-01T05:30:00Z"),
        ] {
            let instant = instant(local.parse().expect("a local time"), &zone);
            assert_eq!(instant.expect("an instant").to_string(), expected);
        }
    }
}
