//! RFC 3339 times.

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

/// Parses an RFC 3339 time and truncates it to microseconds. Unlike jiff, this rejects the basic
/// format of ISO 8601, a time zone in brackets, a leap second, and a year that does not have four
/// digits.
#[must_use]
pub fn parse(text: &str) -> Option<Timestamp> {
    if !has_rfc3339_form(text.as_bytes()) {
        return None;
    }
    let to_microsecond = TimestampRound::new()
        .smallest(Unit::Microsecond)
        .mode(RoundMode::Floor);
    text.parse::<Timestamp>().ok()?.round(to_microsecond).ok()
}

fn has_rfc3339_form(text: &[u8]) -> bool {
    let Some((date_and_time, rest)) = text.split_at_checked(19) else {
        return false;
    };
    if !has_form(date_and_time, b"0000-00-00T00:00:00") || date_and_time.ends_with(b":60") {
        return false;
    }
    let offset = match rest.strip_prefix(b".") {
        None => rest,
        Some(fraction) => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit());
            let (digits, offset) = fraction.split_at(digits.count());
            if digits.is_empty() {
                return false;
            }
            offset
        }
    };
    matches!(offset, b"Z" | b"z") || has_form(offset, b"+00:00")
}

/// Returns true if the text has a form. In the form `0` stands for any digit, `T` for `T`, `t` or a
/// space, and `+` for either sign.
fn has_form(text: &[u8], form: &[u8]) -> bool {
    text.len() == form.len()
        && text.iter().zip(form).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            b'T' => b"Tt ".contains(byte),
            b'+' => b"+-".contains(byte),
            other => byte == other,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_3339_time_is_truncated_to_microseconds() {
        for text in [
            "2025-01-01T15:30:00.1234567+05:30",
            "2025-01-01 10:00:00.1234567z",
            "2025-01-01t10:00:00.123456Z",
        ] {
            let parsed = parse(text).map(|instant| instant.to_string());
            assert_eq!(
                parsed.as_deref(),
                Some("2025-01-01T10:00:00.123456Z"),
                "{text}"
            );
        }
    }

    #[test]
    fn other_time_format_is_rejected() {
        for text in [
            "",
            "20260910T080000Z",
            "2026-09-10T08:00:00",
            "2026-09-10T08:00Z",
            "2026-09-10T08:00:60Z",
            "2026-09-10T08:00:00.Z",
            "2026-09-10T08:00:00+02",
            "2026-09-10T08:00:00+0200",
            "2026-09-10T08:00:00+02:00[Europe/Berlin]",
            "2026-09-10T08:00:00Z ",
            "2026-02-30T08:00:00Z",
            "-009998-01-01T00:00:00Z",
            "+002026-09-10T08:00:00Z",
            "2026-09-10T08:00:00\u{661}Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
