//! Dates, times and durations as pages show them: in the time zone of a calendar.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use maud::{Markup, html};

use crate::messages::Language;

/// Returns date and time to the minute, such as `2025-01-01 15:30`.
#[must_use]
pub fn date_time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}

/// Returns an element with date and time, which programs can read too.
#[must_use]
pub fn time_element(at: Timestamp, zone: &TimeZone) -> Markup {
    html! { time datetime=(at.to_string()) { (date_time(at, zone)) } }
}

/// Returns an element with date and time, or "never".
#[must_use]
pub fn optional(at: Option<Timestamp>, zone: &TimeZone, language: Language) -> Markup {
    html! {
        @if let Some(at) = at { (time_element(at, zone)) } @else { (language.text("moment.never")) }
    }
}

/// Returns hours and minutes, such as `7:05`. Seconds are cut off.
#[must_use]
pub fn hours(duration: SignedDuration) -> String {
    let minutes = duration.as_mins();
    format!("{}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_the_zone_and_durations_in_hours() {
        let zone = TimeZone::get("Asia/Kolkata").expect("a zone");
        let at = "2025-01-01T20:29:59Z".parse().expect("an instant");
        assert_eq!(date_time(at, &zone), "2025-01-02 01:59");
        assert_eq!(
            hours(SignedDuration::from_secs(25 * 3600 + 5 * 60 + 59)),
            "25:05"
        );
    }
}
