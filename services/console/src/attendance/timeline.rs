//! Geometry of the timeline of a day: where its hours and sessions lie. All positions are shares of
//! the day in hundredths of a percent, so that the picture fits every width.

use jiff::{
    RoundMode, SignedDuration, Timestamp, ToSpan, Unit, Zoned, ZonedRound, civil::Date,
    tz::TimeZone,
};
use rollcall_attendance::{calendar::Calendar, row::EndReason};

/// The whole width.
pub const WIDTH: i64 = 10_000;
/// Minimum width of a bar, so that a session of a few seconds can be seen.
const MIN_BAR: i64 = 20;
/// The last part of a bar that is hatched if the session was closed by timeout.
const HATCHED: SignedDuration = SignedDuration::from_mins(30);
/// Maximum number of hours of a day. Zones have moved by a day, never by more.
const MAX_HOURS: usize = 50;

/// The time axis: one reporting day.
#[derive(Debug, Clone)]
pub struct Axis {
    start: Timestamp,
    end: Timestamp,
    zone: TimeZone,
}

/// A full hour of local time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hour {
    /// Position.
    pub x: i64,
    /// The hour of the day, such as `08`. An hour that occurs twice has two positions.
    pub label: String,
}

/// A session as the timeline needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Login.
    pub login_at: Timestamp,
    /// Time of the latest event.
    pub last_activity_at: Timestamp,
    /// Reason why the session has ended. None while the session is open.
    pub end_reason: Option<EndReason>,
}

/// A part of the width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Left end.
    pub x: i64,
    /// Width.
    pub width: i64,
}

/// The bar of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// From the login to the last activity, as far as it lies in the day.
    pub known: Range,
    /// The end of the bar, if it differs from a reported logout.
    pub end: Option<(Mark, Range)>,
    /// True if the session continues after the day.
    pub continues: bool,
}

/// Style of the end of a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The session is open: faded, from the last activity to the present.
    Open,
    /// The session was closed by timeout: hatched.
    Timeout,
}

impl Axis {
    /// Returns the axis of a reporting day, or None if the zone skips the day or the day cannot be
    /// represented.
    #[must_use]
    pub fn new(calendar: &Calendar, day: Date) -> Option<Self> {
        let bounds = calendar.bounds(day, day).ok()?;
        let [start, end] = bounds[..] else {
            return None;
        };
        let zone = calendar.time_zone.clone();
        (start < end).then_some(Self { start, end, zone })
    }

    /// Returns the bounds of the day.
    #[must_use]
    pub fn bounds(&self) -> (Timestamp, Timestamp) {
        (self.start, self.end)
    }

    /// Returns the full hours of local time in the day.
    #[must_use]
    pub fn hours(&self) -> Vec<Hour> {
        let mut hours = Vec::new();
        let mut next = full_hour(&self.start.to_zoned(self.zone.clone()));
        while let Ok(at) = next {
            if at.timestamp() >= self.end || hours.len() == MAX_HOURS {
                break;
            }
            hours.push(Hour {
                x: self.x(at.timestamp()),
                label: format!("{:02}", at.hour()),
            });
            // After a clock change of half an hour, this is not a full hour.
            next = at.checked_add(1.hour()).and_then(|at| full_hour(&at));
        }
        hours
    }

    /// Returns the bar of a session at `now`, or None if the session does not touch the day.
    #[must_use]
    pub fn bar(&self, session: &Span, now: Timestamp) -> Option<Bar> {
        let open = session.end_reason.is_none();
        let last = session.last_activity_at.max(session.login_at);
        let end = if open { last.max(now) } else { last };
        if session.login_at >= self.end || end < self.start {
            return None;
        }
        let known = self.range(session.login_at, last);
        let mark = match session.end_reason {
            None => Some((Mark::Open, self.range(last.min(self.end), end))),
            Some(EndReason::Timeout) if last <= self.end => {
                let from = last.checked_sub(HATCHED).unwrap_or(last);
                Some((Mark::Timeout, self.range(from.max(session.login_at), last)))
            }
            Some(_) => None,
        };
        Some(Bar {
            known,
            end: mark.filter(|(mark, range)| *mark == Mark::Timeout || range.x < WIDTH),
            continues: end > self.end,
        })
    }

    fn range(&self, from: Timestamp, to: Timestamp) -> Range {
        let (from, to) = (self.x(from), self.x(to));
        let width = (to - from).max(MIN_BAR);
        Range {
            x: from.min(WIDTH - MIN_BAR),
            width: width.min(WIDTH - from.min(WIDTH - MIN_BAR)),
        }
    }

    fn x(&self, at: Timestamp) -> i64 {
        let length = self.end.duration_since(self.start).as_secs().max(1);
        let offset = at.clamp(self.start, self.end).duration_since(self.start);
        offset.as_secs() * WIDTH / length
    }
}

/// Returns the first full hour of local time at or after `at`.
fn full_hour(at: &Zoned) -> Result<Zoned, jiff::Error> {
    at.round(ZonedRound::new().smallest(Unit::Hour).mode(RoundMode::Ceil))
}

/// Writes a position as an SVG percentage.
#[must_use]
pub fn percent(position: i64) -> String {
    format!("{}.{:02}%", position / 100, position % 100)
}

#[cfg(test)]
mod tests;
