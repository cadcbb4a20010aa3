//! Rows of a report by brute force.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{civil::Date, tz::TimeZone};
use rollcall_attendance::{calendar::Calendar, row::AttendanceRow};
use rollcall_store::attendance::{Attribution, Calendars, Grouping, Position, Selection, Subject};

use super::{
    history::{History, Mapping, Minute, PERSONS},
    model::{Bounds, Session, mapping, sessions},
};

/// A row is of a date, or of the whole period, and of an employee or of a person.
type Key = (Option<Date>, Result<&'static str, usize>);

/// A person, a day, the mapping of the person on it, and the bounds of the day.
pub type PersonDay<'a> = (usize, Date, Option<&'a Mapping>, (Minute, Minute));

/// A session on a day.
pub struct Part {
    pub session: usize,
    pub date: Date,
    pub from: Minute,
    pub to: Minute,
}

/// Parts of a row before it is summed up.
#[derive(Default)]
pub struct Group<'a> {
    pub parts: Vec<Part>,
    /// The mappings of the row with the days on which they are valid.
    pub mapped: Vec<(Date, &'a Mapping)>,
    /// True if one of these days has begun.
    pub has_begun: bool,
    /// Ends of the days on which sessions count.
    pub day_ends: Vec<Minute>,
}

pub struct Oracle<'a> {
    pub history: &'a History,
    pub selection: &'a Selection,
    pub sessions: Vec<Session>,
    pub now: Minute,
    bounds: BTreeMap<Option<String>, Bounds<'a>>,
}

impl<'a> Oracle<'a> {
    pub fn new(history: &'a History, selection: &'a Selection, now: Minute) -> Self {
        let calendars: Vec<(Option<&str>, &Calendar)> = match &selection.calendars {
            Calendars::One(calendar) => vec![(None, calendar)],
            Calendars::Assigned { default, named } => {
                let named = named
                    .iter()
                    .map(|(name, calendar)| (Some(&**name), calendar));
                [(None, default)].into_iter().chain(named).collect()
            }
        };
        let bounds = calendars.into_iter();
        Self {
            history,
            selection,
            sessions: sessions(history, now),
            now,
            bounds: bounds
                .map(|(name, calendar)| (name.map(str::to_owned), Bounds::new(calendar)))
                .collect(),
        }
    }

    /// Returns the dates of the period.
    pub fn dates(&self) -> Vec<Date> {
        let days = self.selection.first.series(jiff::Span::new().days(1));
        days.take_while(|date| *date <= self.selection.last)
            .collect()
    }

    fn is_selected(&self, person: usize, employee: Option<&str>) -> bool {
        let is_in = |filter: &[String], name: &str| {
            filter.is_empty() || filter.iter().any(|wanted| wanted.to_lowercase() == name)
        };
        let (user, realm) = PERSONS[person];
        is_in(&self.selection.users, user)
            && is_in(&self.selection.realms, realm.unwrap_or("default"))
            && (self.selection.employee_ids.is_empty()
                || employee.is_some_and(|id| self.selection.employee_ids.iter().any(|x| x == id)))
    }

    /// Returns the name of a mapping's calendar in this report.
    pub fn calendar(&self, mapping: Option<&Mapping>) -> Option<&'static str> {
        match self.selection.calendars {
            Calendars::One(_) => None,
            Calendars::Assigned { .. } => mapping.and_then(|mapping| mapping.calendar),
        }
    }

    pub fn day(&mut self, calendar: Option<&str>, date: Date) -> (Minute, Minute) {
        self.bounds
            .get_mut(&calendar.map(str::to_owned))
            .expect("a calendar")
            .of(date)
    }

    pub fn time_zone(&self, calendar: Option<&str>) -> TimeZone {
        self.bounds[&calendar.map(str::to_owned)].time_zone()
    }

    /// Returns the mapping and the bounds of each selected person's days that are not skipped.
    pub fn person_days(&mut self) -> Vec<PersonDay<'a>> {
        let mut days = Vec::new();
        for date in self.dates() {
            for person in 0..PERSONS.len() {
                let mapping = mapping(self.history, person, date);
                let (start, end) = self.day(self.calendar(mapping), date);
                let employee = mapping.map(|mapping| mapping.employee_id);
                if start < end && self.is_selected(person, employee) {
                    days.push((person, date, mapping, (start, end)));
                }
            }
        }
        days
    }

    /// Returns the part of a session that counts on a day.
    fn part(&self, number: usize, date: Date, (start, end): (Minute, Minute)) -> Option<Part> {
        let session = &self.sessions[number];
        let begins = (start..end).contains(&session.login);
        let (from, to) = match self.selection.attribution {
            Attribution::Login => begins.then_some((session.login, session.last))?,
            Attribution::Overlap => {
                let mut minutes =
                    (session.login..session.last).filter(|at| (start..end).contains(at));
                let first = minutes.next();
                let last = minutes.next_back().or(first);
                match (first, last) {
                    (Some(first), Some(last)) => (first, last + 1),
                    _ => begins.then_some((session.login, session.login))?,
                }
            }
        };
        Some(Part {
            session: number,
            date,
            from,
            to,
        })
    }

    fn groups(&mut self) -> BTreeMap<Key, Group<'a>> {
        let mut groups: BTreeMap<Key, Group> = BTreeMap::new();
        for (person, date, mapping, day) in self.person_days() {
            let row_date = (self.selection.grouping == Grouping::Day).then_some(date);
            let employee = mapping.map(|mapping| mapping.employee_id);
            let subject = match (self.selection.subject, employee) {
                (Subject::Employee, Some(employee)) => Ok(employee),
                _ => Err(person),
            };
            let group = groups.entry((row_date, subject)).or_default();
            group.mapped.extend(mapping.map(|mapping| (date, mapping)));
            group.has_begun |= mapping.is_some() && day.0 < self.now;
            for number in 0..self.sessions.len() {
                if self.sessions[number].person != person {
                    continue;
                }
                if let Some(part) = self.part(number, date, day) {
                    group.parts.push(part);
                    group.day_ends.push(day.1);
                }
            }
        }
        groups
    }

    /// Returns the rows in order.
    pub fn rows(&mut self) -> Vec<AttendanceRow> {
        let groups = self.groups();
        let employee = |((date, subject), group): (&Key, &Group)| {
            Some((*date, shown(*subject, &group.mapped).1?.employee_id))
        };
        let with_parts = groups.iter().filter(|(_, group)| !group.parts.is_empty());
        let present: BTreeSet<_> = with_parts.filter_map(employee).collect();
        let mut rows: Vec<_> = groups
            .into_iter()
            .filter(|(key, group)| {
                let is_expected = self.selection.include_absent && group.has_begun;
                let is_absent = is_expected
                    && employee((key, group)).is_some_and(|employee| !present.contains(&employee));
                !group.parts.is_empty() || is_absent
            })
            .map(|((date, subject), group)| self.row(date, subject, &group))
            .collect();
        rows.sort_by_key(Position::of);
        rows
    }
}

/// Returns the person that a row shows, and the mapping that names its employee and its calendar.
pub fn shown<'a>(
    subject: Result<&'static str, usize>,
    mapped: &[(Date, &'a Mapping)],
) -> (usize, Option<&'a Mapping>) {
    let person = subject.err().unwrap_or_else(|| {
        let persons = mapped.iter().map(|(_, mapping)| mapping.person);
        let name = |person: &usize| {
            let (user, realm) = PERSONS[*person];
            (user, realm.unwrap_or("default"))
        };
        persons.min_by_key(name).expect("a person")
    });
    let of_person = mapped
        .iter()
        .filter(|(_, mapping)| mapping.person == person);
    let latest = of_person.max_by_key(|(date, _)| *date);
    (person, latest.map(|(_, mapping)| *mapping))
}
