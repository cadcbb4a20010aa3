//! Lengths of sessions.

use serde::Deserialize;

/// Unit of a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Unit {
    #[default]
    Seconds,
    Milliseconds,
    /// `H:MM:SS`, `0h:05m:10s`, `1d 02h:03m:04s`, `1 day, 2:03:04` and alike.
    Clock,
}

/// Seconds of a number that has no unit of its own, by its position from the right.
const POSITIONS: [i64; 4] = [1, 60, 3_600, 86_400];

impl Unit {
    /// Returns the duration in whole seconds.
    pub(super) fn seconds(self, text: &str) -> Option<i64> {
        match self {
            Self::Seconds => whole(text),
            Self::Milliseconds => Some(whole(text)? / 1_000),
            Self::Clock => clock(text),
        }
    }
}

/// Returns the whole part of a number that is not negative.
pub(super) fn whole(text: &str) -> Option<i64> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(whole) && is_number(fraction)).then(|| whole.parse().ok())?
}

fn clock(text: &str) -> Option<i64> {
    let mut total: i64 = 0;
    let mut without_unit = Vec::new();
    let mut rest = text.trim();
    while let Some(begin) = rest.find(|char: char| char.is_ascii_digit()) {
        if rest[..begin].contains(|char: char| !" :,".contains(char)) {
            return None;
        }
        let number = &rest[begin..];
        let end = number
            .find(|char: char| !char.is_ascii_digit())
            .unwrap_or(number.len());
        let (number, after) = number.split_at(end);
        let number: i64 = number.parse().ok()?;
        let after = after
            .strip_prefix(|char| char == '.')
            .map_or(after, |fraction| {
                fraction.trim_start_matches(|char: char| char.is_ascii_digit())
            });
        let unit = after.trim_start();
        let end = unit
            .find(|char: char| !char.is_ascii_alphabetic())
            .unwrap_or(unit.len());
        let (unit, after) = unit.split_at(end);
        rest = after;
        match seconds_of(unit)? {
            0 => without_unit.push(number),
            seconds => total = total.checked_add(number.checked_mul(seconds)?)?,
        }
    }
    for (number, seconds) in without_unit.iter().rev().zip(POSITIONS) {
        total = total.checked_add(number.checked_mul(seconds)?)?;
    }
    let is_clock = rest.trim().is_empty() && !text.trim().is_empty();
    (is_clock && without_unit.len() <= POSITIONS.len()).then_some(total)
}

/// Returns the seconds of a unit, or 0 for an empty unit. Returns `None` for an unknown unit.
fn seconds_of(unit: &str) -> Option<i64> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "" => 0,
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        "w" | "week" | "weeks" => 604_800,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn duration_of_each_unit_is_in_whole_seconds() {
        assert_eq!(Unit::Seconds.seconds(" 90.7 "), Some(90));
        assert_eq!(Unit::Milliseconds.seconds("90999"), Some(90));
        for text in [
            "1:01:05",
            "1h:01m:05s",
            "0d 01h:01m:05s",
            "0 days, 01:01:05",
            "61:05",
            "3665",
            "1 hour 1 minute 5.9 seconds",
            "00:01:01:05",
            "1h1m5s",
        ] {
            assert_eq!(Unit::Clock.seconds(text), Some(3_665), "{text}");
        }
        assert_eq!(Unit::Clock.seconds("1d 00h:00m:00s"), Some(86_400));
    }

    #[test]
    fn other_text_is_no_duration() {
        for text in ["", "-5", "5s", "1e3", "99999999999999999999"] {
            assert_eq!(Unit::Seconds.seconds(text), None, "{text}");
        }
        for text in [
            "",
            "-1:00:00",
            "none",
            "1:2:3:4:5",
            "5 parsecs",
            "999999999999999999w",
        ] {
            assert_eq!(Unit::Clock.seconds(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn duration_of_any_text_is_not_negative(text in "\\PC{0,40}|[0-9dhms:., ]{0,40}") {
            for unit in [Unit::Seconds, Unit::Milliseconds, Unit::Clock] {
                prop_assert!(unit.seconds(&text).unwrap_or(0) >= 0);
            }
        }
    }
}
