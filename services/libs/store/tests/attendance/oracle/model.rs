//! Sessions and days by brute force, from the contract.

use std::collections::BTreeMap;

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use rollcall_attendance::calendar::Calendar;

use super::history::{History, Mapping, Minute, PERSONS, minute};

/// Time without activity after which a session is closed, in minutes.
pub const TIMEOUT: Minute = 24 * 60;

/// A session with a login.
#[derive(Debug)]
pub struct Session {
    pub person: usize,
    pub login: Minute,
    pub last: Minute,
    /// None while the session is open.
    pub end_reason: Option<&'static str>,
    pub active_seconds: Option<i64>,
}

/// Returns the person of a session. All its events name it.
pub fn person_of(session: usize) -> usize {
    session % PERSONS.len()
}

pub fn sessions(history: &History, now: Minute) -> Vec<Session> {
    (0..10)
        .filter_map(|session| {
            let events: Vec<_> = history
                .events
                .iter()
                .filter(|event| event.session == session && event.kind != "restart")
                .collect();
            let times = |kind| {
                let of_kind = events.iter().filter(move |event| event.kind == kind);
                of_kind.map(|event| event.at)
            };
            let login = times("login").min()?;
            let last = events.iter().map(|event| event.at).max()?;
            let source = events.first()?.source;
            let restarted = history.events.iter().any(|event| {
                let is_restart = event.kind == "restart" && event.source == source;
                is_restart && event.at > login && (last..=last + TIMEOUT).contains(&event.at)
            });
            Some(Session {
                person: person_of(session),
                login,
                last,
                end_reason: if times("logout").max() == Some(last) {
                    Some("logout")
                } else if restarted {
                    Some("restart")
                } else {
                    (last < now - TIMEOUT).then_some("timeout")
                },
                active_seconds: events.iter().filter_map(|event| event.active_seconds).max(),
            })
        })
        .collect()
}

/// Returns true if all sources have reported everything up to `at`.
pub fn is_complete(history: &History, at: Minute, now: Minute) -> bool {
    history.sources.iter().zip(1..).all(|(source, id)| {
        let events = history.events.iter().filter(|event| event.source == id);
        let stated = events.filter_map(|event| event.complete_through).max();
        let is_stated = stated.is_some_and(|stated| stated >= at);
        let is_assumed = source
            .assume_complete_seconds
            .is_some_and(|seconds| at * 60 <= now * 60 - i64::from(seconds));
        let counts = source.created_at < at && source.disabled_at.is_none_or(|end| at < end);
        source.imports_only || !counts || is_stated || is_assumed
    })
}

/// Returns the mapping of a person on a day.
pub fn mapping(history: &History, person: usize, date: Date) -> Option<&Mapping> {
    history.mappings.iter().find(|mapping| {
        mapping.person == person
            && mapping.from.is_none_or(|from| from <= date)
            && mapping.to.is_none_or(|to| date <= to)
    })
}

/// Bounds of reporting days, each computed once.
pub struct Bounds<'a> {
    calendar: &'a Calendar,
    known: BTreeMap<Date, Minute>,
}

impl<'a> Bounds<'a> {
    pub fn new(calendar: &'a Calendar) -> Self {
        let known = BTreeMap::new();
        Self { calendar, known }
    }

    pub fn time_zone(&self) -> TimeZone {
        self.calendar.time_zone.clone()
    }

    /// Returns the start and the end of a day. They are equal if the zone skips it.
    pub fn of(&mut self, date: Date) -> (Minute, Minute) {
        (
            self.start(date),
            self.start(date.tomorrow().expect("a day")),
        )
    }

    fn start(&mut self, date: Date) -> Minute {
        let Calendar {
            time_zone,
            start_of_day,
        } = self.calendar;
        let local = date.to_datetime(*start_of_day);
        let start = self.known.entry(date);
        *start.or_insert_with(|| first_at_or_after(local, time_zone))
    }
}

/// Returns the first minute at which the local time is `start` or later. No zone is further than 14
/// hours ahead of UTC.
fn first_at_or_after(start: DateTime, zone: &TimeZone) -> Minute {
    let begin: Timestamp = TimeZone::UTC.to_timestamp(start).expect("an instant");
    let begin = begin - SignedDuration::from_hours(15);
    let minutes = (0..55 * 60).map(|minute| begin + SignedDuration::from_mins(minute));
    let mut reached = minutes.filter(|at| zone.to_datetime(*at) >= start);
    minute(reached.next().expect("a minute"))
}
