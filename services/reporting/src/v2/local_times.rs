//! Times of a response, in one time zone.

use jiff::{Timestamp, tz::TimeZone};
use rollcall_exports::{LocalTime, Offsets};

use crate::reports::Reports;

/// Shows instants in a time zone.
pub struct LocalTimes {
    zone: TimeZone,
    offsets: Offsets,
}

impl LocalTimes {
    /// Shows instants in `zone`.
    #[must_use]
    pub fn of(zone: TimeZone) -> Self {
        Self {
            zone,
            offsets: Offsets::default(),
        }
    }

    /// Shows instants in the zone that a request asks for, or else in the reporting time zone.
    #[must_use]
    pub fn asked(zone: Option<TimeZone>, reports: &Reports) -> Self {
        Self::of(zone.unwrap_or_else(|| reports.time_zone().clone()))
    }

    /// Returns the time that clocks in the zone show.
    pub fn show(&mut self, at: Timestamp) -> LocalTime {
        LocalTime::new(at, &self.zone, &mut self.offsets)
    }

    /// Returns the time that clocks in the zone show, if there is one.
    pub fn maybe(&mut self, at: Option<Timestamp>) -> Option<LocalTime> {
        at.map(|at| self.show(at))
    }
}
