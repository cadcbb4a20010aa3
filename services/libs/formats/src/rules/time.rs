//! Times in fields of a record.

use jiff::{
    Timestamp, Zoned,
    fmt::strtime::{self, BrokenDownTime},
    tz::TimeZone,
};

use super::{
    file::{BadKey, TimeEntry},
    template::Template,
    values::Values,
};
use crate::{
    local_time::{instant, instant_without_year},
    syslog::{Context, stamp},
};

/// Digits after the decimal point of a second that are kept.
const NANOSECOND_DIGITS: u32 = 9;

/// Place and format of a time.
#[derive(Debug, Clone)]
pub(super) struct TimeOfField {
    value: Template,
    format: Format,
    zone: Option<TimeZone>,
}

#[derive(Debug, Clone)]
enum Format {
    Rfc3339,
    /// Units since 1970. One second has 10 to the power of this number of units.
    Unix(u32),
    Strptime(String),
}

impl TimeOfField {
    pub(super) fn new(key: &'static str, entry: &TimeEntry) -> Result<Self, BadKey> {
        let bad = |reason: String| BadKey::new(key, reason);
        let format = match entry.format.as_str() {
            "rfc3339" => Format::Rfc3339,
            "unix" => Format::Unix(0),
            "unix_ms" => Format::Unix(3),
            "unix_us" => Format::Unix(6),
            "unix_ns" => Format::Unix(9),
            other => {
                let epoch = Zoned::new(Timestamp::UNIX_EPOCH, TimeZone::UTC);
                strtime::format(other, &epoch).map_err(|error| bad(format!("format: {error}")))?;
                if !other.contains('%') {
                    return Err(bad(format!(
                        "format must be rfc3339, unix, unix_ms, unix_us, unix_ns, arrival or \
                         consist of directives such as %Y (got {other:?})"
                    )));
                }
                Format::Strptime(other.to_owned())
            }
        };
        let zone = entry.zone.as_deref().map(TimeZone::get).transpose();
        Ok(Self {
            value: Template::parse(&entry.value)
                .map_err(|reason| bad(format!("value {reason}")))?,
            format,
            zone: zone.map_err(|error| bad(format!("zone: {error}")))?,
        })
    }

    pub(super) fn template(&self) -> &Template {
        &self.value
    }

    /// Returns the time, or `None` if the field is empty or does not have the format.
    pub(super) fn read(&self, values: &Values, context: &Context) -> Option<Timestamp> {
        let text = self.value.fill(values)?;
        let zone = self.zone.as_ref().unwrap_or(&context.zone);
        match &self.format {
            Format::Rfc3339 => {
                let stamp = stamp::read(&text, zone, context.received_at)?;
                stamp.rest.is_empty().then_some(stamp.at)
            }
            Format::Unix(digits) => unix(&text, *digits),
            Format::Strptime(format) => strptime(format, &text, zone, context.received_at),
        }
    }
}

/// Parses a number of units since 1970, with an optional fraction.
fn unix(text: &str, digits: u32) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let rest = usize::try_from(NANOSECOND_DIGITS - digits).ok()?;
    let fraction = format!("{fraction:0<rest$}");
    let nanoseconds: i128 = format!("{whole}{}", &fraction[..rest]).parse().ok()?;
    Timestamp::from_nanosecond(nanoseconds).ok()
}

fn strptime(
    format: &str,
    text: &str,
    zone: &TimeZone,
    received_at: Timestamp,
) -> Option<Timestamp> {
    let parsed = BrokenDownTime::parse(format, text).ok()?;
    if let Ok(timestamp) = parsed.to_timestamp() {
        return Some(timestamp);
    }
    let Ok(local) = parsed.to_datetime() else {
        let date = (parsed.month()?, parsed.day()?);
        return instant_without_year(date, parsed.to_time().ok()?, zone, received_at);
    };
    match parsed.offset() {
        Some(offset) => offset.to_timestamp(local).ok(),
        None => instant(local, zone),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::Record,
        rules::{
            Rules,
            file::Aliases,
            input::{Bodies, Form, Input},
        },
    };

    fn read(format: &str, zone: Option<&str>, text: &str) -> Option<String> {
        let (value, format) = ("{at}".to_owned(), format.to_owned());
        let zone = zone.map(ToOwned::to_owned);
        let Ok(field) = TimeOfField::new(
            "time",
            &TimeEntry {
                value,
                format,
                zone,
            },
        ) else {
            panic!("a valid format");
        };
        let context = Context {
            data_id: "",
            rules: &Rules::default(),
            zone: TimeZone::get("Asia/Kolkata").expect("a zone"),
            received_at: "2027-01-01T09:00:00Z".parse().expect("an instant"),
        };
        let record = format!("at=\"{text}\"");
        let form = Form::KeyValue;
        let input = Input::Body {
            prefix: None,
            form,
            columns: Vec::new(),
        };
        let fields = input.read(&mut Bodies::new(&record)).expect("fields");
        let record = Record::of_text(&record);
        let time = field.read(
            &Values {
                record: &record,
                fields: &fields,
                aliases: &Aliases::new(),
            },
            &context,
        );
        time.map(|time| time.to_string())
    }

    #[test]
    fn each_format_is_read() {
        let expected = Some("2026-11-26T09:00:01Z".to_owned());
        for (format, zone, text) in [
            ("rfc3339", None, "2026-11-26T09:00:01Z"),
            ("rfc3339", None, "2026-11-26T14:30:01"),
            ("unix", None, "1795683601"),
            ("unix_ms", None, "1795683601000"),
            ("unix_us", None, "1795683601000000"),
            ("unix_ns", None, "1795683601000000000"),
            ("%Y-%m-%d %H:%M:%S", None, "2026-11-26 14:30:01"),
            ("%Y-%m-%d %H:%M:%S", Some("UTC"), "2026-11-26 09:00:01"),
            ("%d/%b/%Y:%H:%M:%S %z", None, "26/Nov/2026:10:00:01 +0100"),
            ("%b %d %H:%M:%S", Some("UTC"), "Nov 26 09:00:01"),
            (
                "%m/%d/%Y %I:%M:%S %p",
                Some("UTC"),
                "11/26/2026 09:00:01 AM",
            ),
        ] {
            assert_eq!(read(format, zone, text), expected, "{format} {text}");
        }
        let fraction = read("unix", None, "1795683601.1234567891");
        assert_eq!(fraction.as_deref(), Some("2026-11-26T09:00:01.123456789Z"));
    }

    #[test]
    fn other_text_is_no_time() {
        for (format, text) in [
            ("rfc3339", "now"),
            ("rfc3339", "2026-11-26T09:00:01Z x"),
            ("unix", "-5"),
            ("unix", "1.795683601e9"),
            ("unix", "99999999999999999999999999999999999999999999"),
            ("%Y-%m-%d", "2026-11-26"),
            ("%H:%M:%S", "09:00:01"),
        ] {
            let read = read(format, None, text);
            let is_date = format == "%Y-%m-%d";
            assert_eq!(read.is_some(), is_date, "{format} {text}");
        }
    }
}
