//! Times at the start of a message, in the forms that gateways write.

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::{Offset, TimeZone},
};

use crate::{
    local_time::{instant, instant_without_year},
    scan::Scan,
};

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// A time at the start of a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stamp<'a> {
    pub(crate) at: Timestamp,
    /// The text after the time.
    pub(crate) rest: &'a str,
    /// True for the forms of programs that write their own log file, without a host:
    /// `2026-11-26 09:00:01` and `Thu Nov 26 09:00:01 2026`.
    pub(crate) is_log_file: bool,
}

/// Reads a time at the start of a text. A time without an offset is in `zone`, and a time without a
/// year is near its arrival.
pub(crate) fn read<'a>(
    text: &'a str,
    zone: &TimeZone,
    received_at: Timestamp,
) -> Option<Stamp<'a>> {
    let scan = Scan(text);
    iso(scan, zone)
        .or_else(|| month_name(scan, zone, received_at))
        .or_else(|| slashes(scan, zone, received_at))
        .or_else(|| unix(scan))
        .filter(|stamp| stamp.rest.is_empty() || stamp.rest.starts_with([' ', ':', '\t']))
}

/// `2026-11-26T09:00:01.5+01:00` (RFC 3339), also with a blank instead of `T`, with slashes, with a
/// comma before the fraction, and without an offset.
fn iso<'a>(mut scan: Scan<'a>, zone: &TimeZone) -> Option<Stamp<'a>> {
    let year = scan.number(4..=4)?;
    let separator = scan.one_of(&['-', '/'])?;
    let month = scan.number(2..=2)?;
    scan.one_of(&[separator])?;
    let date = Date::new(year, month, scan.number(2..=2)?).ok()?;
    let has_blank = scan.one_of(&['T', 't', ' ', ':'])? == ' ';
    let local = date.to_datetime(time(&mut scan)?);
    let offset = scan.optional(offset);
    let at = match offset {
        Some(offset) => offset.to_timestamp(local).ok()?,
        None => instant(local, zone)?,
    };
    let is_log_file = has_blank && offset.is_none();
    let rest = scan.0;
    Some(Stamp {
        at,
        rest,
        is_log_file,
    })
}

/// `Nov 26 09:00:01` (RFC 3164), also with a weekday, a fraction, a zone, and the year before or
/// after the time.
fn month_name<'a>(
    mut scan: Scan<'a>,
    zone: &TimeZone,
    received_at: Timestamp,
) -> Option<Stamp<'a>> {
    let weekday = scan.optional(|scan| {
        let name = scan.take_while(|char| char.is_ascii_alphabetic());
        scan.one_of(&[',']);
        scan.blanks()?;
        (name.len() == 3 && month(name).is_none()).then_some(())
    });
    let month = month(scan.take_while(|char| char.is_ascii_alphabetic()))?;
    scan.blanks()?;
    let day = scan.number(1..=2)?;
    scan.blanks()?;
    let year_before = scan.optional(|scan| {
        let year = scan.number(4..=4)?;
        scan.blanks()?;
        Some(year)
    });
    let time = time(&mut scan)?;
    let year_after = scan.optional(|scan| {
        scan.blanks()?;
        let year = scan.number::<i16>(4..=4)?;
        // An IPv6 address of the host may begin with four digits too.
        let ends = scan.0.is_empty() || scan.0.starts_with(' ') || scan.0.starts_with(": ");
        ends.then_some(year)
    });
    let zone = if scan.optional(utc).is_some() {
        &TimeZone::UTC
    } else {
        zone
    };
    scan.optional(zone_name);
    let at = match year_before.or(year_after) {
        Some(year) => instant(Date::new(year, month, day).ok()?.to_datetime(time), zone)?,
        None => instant_without_year((month, day), time, zone, received_at)?,
    };
    let is_log_file = weekday.is_some() && year_after.is_some();
    let rest = scan.0;
    Some(Stamp {
        at,
        rest,
        is_log_file,
    })
}

/// `11/26/2026:09:00:01 GMT` (NetScaler), which can be set to begin with the day. Where both are
/// possible, the date that is nearer to the arrival is taken.
fn slashes<'a>(mut scan: Scan<'a>, zone: &TimeZone, received_at: Timestamp) -> Option<Stamp<'a>> {
    let first = scan.number(2..=2)?;
    scan.one_of(&['/'])?;
    let second = scan.number(2..=2)?;
    scan.one_of(&['/'])?;
    let year = scan.number(4..=4)?;
    scan.one_of(&[':', ' '])?;
    let time = time(&mut scan)?;
    let zone = if scan.optional(utc).is_some() {
        &TimeZone::UTC
    } else {
        zone
    };
    let at = [(first, second), (second, first)]
        .into_iter()
        .filter_map(|(month, day)| Date::new(year, month, day).ok())
        .filter_map(|date| instant(date.to_datetime(time), zone))
        .min_by_key(|at| at.duration_since(received_at).abs())?;
    Some(Stamp {
        at,
        rest: scan.0,
        is_log_file: false,
    })
}

/// `1764147601.5`, seconds since 1970. The fraction is required, because a number alone may be
/// anything. Meraki writes a version before the time.
fn unix(mut scan: Scan) -> Option<Stamp> {
    scan.optional(|scan| {
        scan.one_of(&['1'])?;
        scan.blanks()
    });
    let second = scan.number(10..=10)?;
    let nanosecond = fraction(&mut scan)?;
    let at = Timestamp::new(second, nanosecond).ok()?;
    Some(Stamp {
        at,
        rest: scan.0,
        is_log_file: false,
    })
}

fn month(name: &str) -> Option<i8> {
    let name = name.to_ascii_lowercase();
    let index = MONTHS.iter().position(|month| *month == name)?;
    i8::try_from(index + 1).ok()
}

/// Reads `09:00:01` with an optional fraction. A leap second counts as the second before it.
fn time(scan: &mut Scan) -> Option<Time> {
    let hour = scan.number(1..=2)?;
    scan.one_of(&[':'])?;
    let minute = scan.number(2..=2)?;
    scan.one_of(&[':'])?;
    let second: i8 = scan.number(2..=2)?;
    let second = if second == 60 { 59 } else { second };
    let nanosecond = scan.optional(fraction).unwrap_or(0);
    Time::new(hour, minute, second, nanosecond).ok()
}

/// Reads a fraction of a second, in nanoseconds. Further digits are skipped.
fn fraction(scan: &mut Scan) -> Option<i32> {
    scan.one_of(&['.', ','])?;
    let digits = scan.take_while(|char| char.is_ascii_digit());
    let nine = format!("{digits:0<9}");
    (!digits.is_empty()).then(|| nine[..9].parse().ok())?
}

/// Reads `Z`, `UTC`, `GMT`, `+01:00`, `+0100` or `+01`, also after a blank.
fn offset(scan: &mut Scan) -> Option<Offset> {
    if scan.optional(utc).is_some() {
        return Some(Offset::UTC);
    }
    scan.one_of(&[' ']);
    let sign = if scan.one_of(&['+', '-'])? == '-' {
        -1
    } else {
        1
    };
    // Check Point writes `--5:00` for five hours west.
    scan.one_of(&['-']);
    let digits = scan.take_while(|char| char.is_ascii_digit());
    let (hours, minutes) = match digits.len() {
        1 | 2 => (
            digits,
            scan.optional(|scan| {
                scan.one_of(&[':'])?;
                let minutes = scan.take_while(|char| char.is_ascii_digit());
                (minutes.len() == 2).then_some(minutes)
            }),
        ),
        4 => (&digits[..2], Some(&digits[2..])),
        _ => return None,
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.unwrap_or("0").parse().ok()?);
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

fn utc(scan: &mut Scan) -> Option<()> {
    scan.take_while(|char| char == ' ');
    let name = scan.take_while(|char| char.is_ascii_alphanumeric());
    ["Z", "z", "UTC", "GMT"].contains(&name).then_some(())
}

/// Reads the abbreviation of a zone before `: %`, as Cisco writes it. It cannot be relied on,
/// because several zones have the same one.
fn zone_name(scan: &mut Scan) -> Option<()> {
    scan.blanks()?;
    let name = scan.take_while(|char| char.is_ascii_uppercase());
    ((2..=5).contains(&name.len()) && scan.0.starts_with(": %")).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(text: &str) -> Option<(String, &str)> {
        let zone = TimeZone::get("Asia/Kolkata").expect("a zone");
        let received_at = "2026-11-26T09:00:00Z".parse().expect("an instant");
        read(text, &zone, received_at).map(|stamp| (stamp.at.to_string(), stamp.rest))
    }

    #[test]
    fn time_with_an_offset_is_that_instant() {
        for text in [
            "2026-11-26T09:00:01.5Z",
            "2026-11-26t10:00:01.5+01:00",
            "2026-11-26T10:00:01.5+0100",
            "2026-11-26T04:00:01.5--5:00",
            "2026-11-26 10:00:01,500 +01",
            "2026/11/26 09:00:01.5 UTC",
            "Nov 26 2026 09:00:01.500 GMT",
            "1795683601.5",
            "1 1795683601.5",
        ] {
            let expected = ("2026-11-26T09:00:01.5Z".to_owned(), " x");
            assert_eq!(stamp(&format!("{text} x")), Some(expected), "{text}");
        }
    }

    #[test]
    fn time_without_an_offset_is_in_the_zone_of_the_source() {
        for text in [
            "2026-11-26T14:30:01",
            "2026-11-26 14:30:01",
            "2026/11/26 14:30:01",
            "Nov 26 14:30:01",
            "nov 26 14:30:01",
            "Nov 26 2026 14:30:01",
            "Thu Nov 26 14:30:01 2026",
            "Thu, Nov 26 14:30:01",
            "11/26/2026:14:30:01",
            "26/11/2026:14:30:01",
            "11/26/2026:09:00:01 GMT",
        ] {
            let expected = ("2026-11-26T09:00:01Z".to_owned(), " x");
            assert_eq!(stamp(&format!("{text} x")), Some(expected), "{text}");
        }
        let expected = ("2026-11-26T09:00:01Z".to_owned(), ": %ASA-6");
        assert_eq!(stamp("Nov 26 14:30:01 IST: %ASA-6"), Some(expected));
        let expected = ("2026-11-05T09:00:01Z".to_owned(), " CRON: x");
        assert_eq!(stamp("Nov  5 14:30:01 CRON: x"), Some(expected));
        let expected = ("2026-11-12T09:00:01Z".to_owned(), "");
        assert_eq!(stamp("12/11/2026:14:30:01"), Some(expected));
    }

    #[test]
    fn other_text_is_no_time() {
        for text in [
            "",
            "Nov",
            "Nov 26",
            "Nov 31 09:00:01 x",
            "2026-02-30T09:00:01Z",
            "2026-11-26",
            "2026-11-26T25:00:01Z",
            "2026-11-26T09:00:01+25:99x",
            "1764147601 x",
            "hello",
            "Foo 26 09:00:01",
            "13/13/2026:09:00:01",
            "2026-11-26T09:00:01x",
        ] {
            assert_eq!(stamp(text), None, "{text}");
        }
    }
}
