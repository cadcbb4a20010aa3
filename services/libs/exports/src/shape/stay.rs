//! Intervals as an HR system sees them: with its resolution, and without overlaps.

use jiff::{
    civil::DateTime,
    tz::{Offset, TimeZone},
};
use rollcall_attendance::row::{Interval, Status};

use super::{Provisional, Shape};
use crate::local_time::{LocalTime, Offsets};

/// Presence of an employee.
#[derive(Debug)]
pub struct Stay {
    /// The employee.
    pub employee_id: String,
    /// Check-in.
    pub start: Mark,
    /// Check-out. None while a session is open.
    pub end: Option<Mark>,
    /// Time zone of the calendar.
    pub time_zone: TimeZone,
}

/// An instant.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    /// Date and time as the system reads them, cut to its resolution: local time, or UTC where the
    /// shape tells the offset.
    pub civil: DateTime,
    /// Local time with its offset.
    pub local: LocalTime,
}

/// Makes stays of intervals that are ordered by (employee ID, start).
pub struct Merger {
    shape: Shape,
    provisional: Provisional,
    offsets: Offsets,
    /// The last stay, which a later interval can extend.
    last: Option<Stay>,
}

impl Merger {
    pub fn new(shape: Shape, provisional: Provisional) -> Self {
        Self {
            shape,
            provisional,
            offsets: Offsets::default(),
            last: None,
        }
    }

    /// Adds an interval. Returns a stay that no later interval can extend.
    pub fn push(&mut self, interval: Interval) -> Option<Stay> {
        if self.provisional == Provisional::LeaveOut && interval.status == Status::Provisional {
            return None;
        }
        let stay = self.stay(interval)?;
        match &mut self.last {
            Some(last) if last.touches(&stay) => {
                last.extend(&stay);
                None
            }
            _ => self.last.replace(stay),
        }
    }

    /// Returns the last stay.
    pub fn finish(&mut self) -> Option<Stay> {
        self.last.take()
    }

    fn stay(&mut self, interval: Interval) -> Option<Stay> {
        let zone = interval.time_zone;
        let mut mark = |at| {
            self.shape
                .mark(LocalTime::new(at, &zone, &mut self.offsets))
        };
        let start = mark(interval.start_at);
        let end = interval.end_at.map(|at| start.max(mark(at)));
        Some(Stay {
            employee_id: interval.employee_id?,
            start,
            end,
            time_zone: zone,
        })
    }
}

impl Stay {
    /// Returns true if `next`, which begins later, belongs to this stay.
    fn touches(&self, next: &Self) -> bool {
        self.employee_id == next.employee_id
            && self.end.is_none_or(|end| next.start.civil <= end.civil)
    }

    fn extend(&mut self, next: &Self) {
        self.end = self.end.zip(next.end).map(|(end, next)| end.max(next));
    }
}

impl Mark {
    /// Returns the later one, or `self` of equal ones.
    fn max(self, other: Self) -> Self {
        if other.civil > self.civil {
            other
        } else {
            self
        }
    }
}

impl Shape {
    fn mark(self, local: LocalTime) -> Mark {
        let utc = || Offset::UTC.to_datetime(local.timestamp());
        let civil = match self {
            Self::Frappe | Self::Zoho | Self::Keka => local.naive(),
            Self::Odoo | Self::Greythr | Self::Orangehrm => utc(),
        };
        let cut = civil.with().subsec_nanosecond(0);
        let cut = match self {
            Self::Orangehrm => cut.second(0),
            _ => cut,
        };
        Mark {
            // Every time has a second and a nanosecond zero.
            civil: cut.build().unwrap_or(civil),
            local,
        }
    }
}
