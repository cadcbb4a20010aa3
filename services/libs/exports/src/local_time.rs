//! Instants with the offset of a time zone.

use std::fmt;

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    fmt::temporal::DateTimePrinter,
    tz::{Offset, TimeZone},
};
use serde::{Serialize, Serializer};

/// Maximum number of time zones whose offsets are remembered.
const MAX_ZONES: usize = 8;

/// Prints without fractions of a second.
const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(0));

/// An instant with the offset of a time zone. Its text is RFC 3339 without fractions of a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    at: Timestamp,
    offset: Offset,
}

impl LocalTime {
    /// Returns the time that clocks in the zone show at an instant.
    #[must_use]
    pub fn new(at: Timestamp, zone: &TimeZone, offsets: &mut Offsets) -> Self {
        Self {
            at,
            offset: offsets.get(at, zone),
        }
    }

    /// Returns the instant.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        self.at
    }

    /// Returns the offset.
    #[must_use]
    pub fn offset(self) -> Offset {
        self.offset
    }

    /// Returns the date and time without the offset and without fractions of a second.
    #[must_use]
    pub fn naive(self) -> DateTime {
        let naive = self.offset.to_datetime(self.at);
        naive.with().subsec_nanosecond(0).build().unwrap_or(naive)
    }

    /// Returns the seconds since 1970-01-01 00:00:00 UTC, without fractions.
    #[must_use]
    pub fn whole_seconds(self) -> i64 {
        self.at.as_microsecond().div_euclid(1_000_000)
    }

    /// Appends the text.
    pub(crate) fn push_to(self, text: &mut String) {
        let printed = PRINTER.print_timestamp_with_offset(&self.at, self.offset, text);
        printed.expect("writing to a string cannot fail");
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.0}", self.at.display_with_offset(self.offset))
    }
}

impl Serialize for LocalTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Appends a date.
pub(crate) fn push_date(date: Date, text: &mut String) {
    let printed = PRINTER.print_date(&date, text);
    printed.expect("writing to a string cannot fail");
}

/// Offsets of time zones, remembered from one clock change to the next. A report has few zones and
/// many times that lie close together.
#[derive(Debug, Default)]
pub struct Offsets(Vec<Constant>);

/// A time during which a zone's offset does not change.
#[derive(Debug)]
struct Constant {
    zone: TimeZone,
    start: Timestamp,
    end: Timestamp,
    offset: Offset,
}

impl Offsets {
    /// Returns the offset of a zone at an instant.
    pub fn get(&mut self, at: Timestamp, zone: &TimeZone) -> Offset {
        let known = self.0.iter().position(|known| known.is_of(zone));
        if let Some(known) = known.map(|index| &self.0[index])
            && (known.start..known.end).contains(&at)
        {
            return known.offset;
        }
        let constant = Constant::around(at, zone);
        let offset = constant.offset;
        match known {
            Some(index) => self.0[index] = constant,
            None if self.0.len() < MAX_ZONES => self.0.push(constant),
            None => {}
        }
        offset
    }
}

impl Constant {
    fn around(at: Timestamp, zone: &TimeZone) -> Self {
        let next = zone.following(at).next().map(|change| change.timestamp());
        // The instant of a change belongs to the new offset, and `preceding` leaves it out.
        let after = at.checked_add(jiff::Span::new().nanoseconds(1));
        let last = zone.preceding(after.unwrap_or(at)).next();
        Self {
            zone: zone.clone(),
            start: last.map_or(Timestamp::MIN, |change| change.timestamp()),
            end: next.unwrap_or(Timestamp::MAX),
            offset: zone.to_offset(at),
        }
    }

    /// Compares names, because a comparison of time zones takes longer than a look-up of an offset.
    fn is_of(&self, zone: &TimeZone) -> bool {
        match (self.zone.iana_name(), zone.iana_name()) {
            (Some(known), Some(name)) => known == name,
            _ => self.zone == *zone,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::samples::at;

    #[test]
    fn offset_changes_at_the_instant_of_the_clock_change() {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        let mut offsets = Offsets::default();
        let mut text = |instant| LocalTime::new(at(instant), &zone, &mut offsets).to_string();
        assert_eq!(text("2025-03-30T01:00:00Z"), "2025-03-30T03:00:00+02:00");
        assert_eq!(text("2025-03-30T00:59:59.9Z"), "2025-03-30T01:59:59+01:00");
        assert_eq!(text("2025-03-30T01:00:00Z"), "2025-03-30T03:00:00+02:00");
    }

    proptest! {
        #[test]
        fn remembered_offset_equals_that_of_the_zone(
            times in prop::collection::vec((0_i64..4_000_000_000, 0_usize..12), 1..50),
        ) {
            let names = [
                "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata",
                "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca", "America/Sao_Paulo", "UTC",
                "Asia/Tokyo",
            ];
            let zone = |index: usize| match names.get(index) {
                Some(name) => TimeZone::get(name).expect("a zone"),
                None => TimeZone::fixed(jiff::tz::offset(i8::try_from(index).expect("small"))),
            };
            let mut offsets = Offsets::default();
            for (second, index) in times {
                let (at, zone) = (Timestamp::new(second, 0).expect("an instant"), zone(index));
                prop_assert_eq!(offsets.get(at, &zone), zone.to_offset(at));
            }
        }
    }
}
