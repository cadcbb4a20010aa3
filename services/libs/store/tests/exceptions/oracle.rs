//! Exceptions of a history, computed from their definitions.

use jiff::{Timestamp, ToSpan, civil::Date};

use crate::history::{CALENDAR, FIRST_DAY, History, LAST_DAY, PERSONS, SOURCES, TIMEOUT, at};

/// The part of an exception that the oracle predicts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expected {
    pub date: Date,
    pub key: Vec<String>,
    pub employee_id: Option<String>,
    /// None where the time is that of an arrival.
    pub at: Option<Timestamp>,
    pub number: Option<i64>,
    pub other: Option<String>,
    pub other_at: Option<Timestamp>,
}

#[derive(Debug, Clone)]
struct Session {
    number: usize,
    source: usize,
    owner: usize,
    login: Option<i64>,
    first: i64,
    logout: Option<i64>,
    last: i64,
    end_reason: Option<&'static str>,
}

impl Session {
    fn until(&self, now: i64) -> i64 {
        self.end_reason.map_or(now, |_| self.last)
    }
}

fn sessions(history: &History) -> Vec<Session> {
    let mut sessions = Vec::new();
    for number in 0..history.owners.len() {
        let events = || {
            let of_session = move |event: &&_| -> bool {
                let event: &crate::history::TestEvent = event;
                event.session == Some(number)
            };
            history.events.iter().filter(of_session)
        };
        let Some(last) = events().map(|event| event.hour).max() else {
            continue;
        };
        let of_kind = |kind| {
            events()
                .filter(move |event| event.kind == kind)
                .map(|event| event.hour)
        };
        let source = events().next().expect("an event").source;
        let login = of_kind("login").min();
        let restarts = history.events.iter();
        let mut restarts =
            restarts.filter(|event| event.session.is_none() && event.source == source);
        let end_reason = if of_kind("logout").max() == Some(last) {
            Some("logout")
        } else if restarts.any(|restart| {
            (last..=last + TIMEOUT.as_hours()).contains(&restart.hour)
                && login.is_some_and(|login| restart.hour > login)
        }) {
            Some("restart")
        } else if last < history.now - TIMEOUT.as_hours() {
            Some("timeout")
        } else {
            None
        };
        sessions.push(Session {
            number,
            source,
            owner: history.owners[number],
            login,
            first: events().map(|event| event.hour).min().expect("an event"),
            logout: of_kind("logout").max(),
            last,
            end_reason,
        });
    }
    sessions
}

/// Returns the earlier sessions of the user of `later` that run at its login.
fn others<'a>(all: &'a [Session], later: &'a Session, now: i64) -> Vec<&'a Session> {
    let order = |session: &Session| (session.login, session.source, session.number);
    let mut others: Vec<_> = all
        .iter()
        .filter(|other| PERSONS[other.owner].0 == PERSONS[later.owner].0)
        .filter(|other| other.login.is_some() && order(other) < order(later))
        .filter(|other| Some(other.until(now)) > later.login)
        .filter(|_| Some(later.until(now)) > later.login)
        .collect();
    others.sort_by_key(|other| order(other));
    others
}

/// Returns whether each event arrived after its source had counted as complete through its time,
/// and the hour through which each source is complete in the end.
fn completeness(history: &History) -> (Vec<bool>, [Option<i64>; 2]) {
    let mut complete = [None; 2];
    let late = history.events.iter().map(|event| {
        let through = &mut complete[event.source];
        let is_late = *through >= Some(event.hour);
        *through = (*through).max(event.complete_through);
        is_late
    });
    (late.collect(), complete)
}

pub fn expected(history: &History) -> Vec<Expected> {
    let mut expected = Vec::new();
    let mut date = FIRST_DAY;
    while date <= LAST_DAY {
        let bounds = CALENDAR.bounds(date, date).expect("bounds");
        let day = Day {
            history,
            date,
            start: bounds[0],
            end: bounds[1],
        };
        day.of_sessions(&mut expected);
        day.of_persons(&mut expected);
        day.of_sources(&mut expected);
        day.of_events(&mut expected);
        date += 1.days();
    }
    expected.sort();
    expected
}

struct Day<'a> {
    history: &'a History,
    date: Date,
    start: Timestamp,
    end: Timestamp,
}

impl Day<'_> {
    fn has(&self, hour: i64) -> bool {
        self.start <= at(hour) && at(hour) < self.end
    }

    fn employee(&self, owner: usize) -> Option<String> {
        let mapped =
            |(person, day): &(usize, i64)| *person == owner && FIRST_DAY + day.days() <= self.date;
        self.history
            .mappings
            .iter()
            .any(mapped)
            .then(|| format!("E{owner}"))
    }

    fn add(&self, to: &mut Vec<Expected>, kind: &str, session: &Session) -> usize {
        let (user, realm) = PERSONS[session.owner];
        let id = format!("s{}", session.number);
        let key = [kind, user, realm, SOURCES[session.source], &id];
        to.push(Expected {
            date: self.date,
            key: key.map(str::to_owned).to_vec(),
            employee_id: self.employee(session.owner),
            at: Some(at(session.last)),
            number: None,
            other: session.end_reason.map(str::to_owned),
            other_at: None,
        });
        to.len() - 1
    }

    fn of_sessions(&self, to: &mut Vec<Expected>) {
        let (all, now) = (sessions(self.history), self.history.now);
        for session in all
            .iter()
            .filter(|session| self.has(session.login.unwrap_or(session.first)))
        {
            if session.end_reason == Some("restart") {
                self.add(to, "closed_by_restart", session);
            }
            if session.end_reason == Some("timeout") {
                self.add(to, "closed_by_timeout", session);
            }
            let Some(login) = session.login else {
                if let Some(logout) = session.logout {
                    let index = self.add(to, "logout_without_login", session);
                    to[index].at = Some(at(logout));
                }
                continue;
            };
            if session.until(now) - login > 24 {
                let index = self.add(to, "open_longer_than_a_day", session);
                to[index].at = Some(at(login));
                to[index].number = Some(3600 * (session.until(now) - login));
            }
            let others = others(&all, session, now);
            let realm = others.iter().find(|other| other.owner != session.owner);
            let source = others
                .iter()
                .find(|other| other.owner == session.owner && other.source != session.source);
            for (kind, found) in [
                ("two_realms_at_once", realm),
                ("two_sources_at_once", source),
            ] {
                let Some(found) = found else { continue };
                let realm = PERSONS[found.owner].1;
                let is_realm = kind == "two_realms_at_once";
                let index = self.add(to, kind, session);
                to[index].at = Some(at(login));
                to[index].other = Some(
                    if is_realm {
                        realm
                    } else {
                        SOURCES[found.source]
                    }
                    .into(),
                );
                to[index].other_at = found.login.map(at);
            }
        }
    }

    fn of_persons(&self, to: &mut Vec<Expected>) {
        // A mapping of a person that no event has named is not stored.
        let has_mappings = self.history.mappings.iter().any(|(person, _)| {
            sessions(self.history)
                .iter()
                .any(|session| session.owner == *person)
        });
        for (owner, (user, realm)) in PERSONS.iter().enumerate() {
            let logins: Vec<i64> = sessions(self.history)
                .iter()
                .filter(|session| session.owner == owner)
                .filter_map(|session| session.login)
                .filter(|login| self.has(*login))
                .collect();
            let first = logins.iter().min().map(|login| at(*login));
            if first.is_some() && has_mappings && self.employee(owner).is_none() {
                to.push(Expected {
                    date: self.date,
                    key: ["person_without_employee", user, realm, "", ""]
                        .map(str::to_owned)
                        .to_vec(),
                    employee_id: None,
                    at: first,
                    number: i64::try_from(logins.len()).ok(),
                    other: None,
                    other_at: None,
                });
            }
        }
    }

    fn of_sources(&self, to: &mut Vec<Expected>) {
        let (_, complete) = completeness(self.history);
        for (source, through) in SOURCES.iter().zip(complete) {
            let through = through.map(at);
            if self.end <= at(self.history.now) && through < Some(self.end) {
                to.push(Expected {
                    date: self.date,
                    key: ["day_not_complete", "", "", source, ""]
                        .map(str::to_owned)
                        .to_vec(),
                    employee_id: None,
                    at: Some(self.end),
                    number: None,
                    other: None,
                    other_at: through,
                });
            }
        }
    }

    fn of_events(&self, to: &mut Vec<Expected>) {
        let (late, _) = completeness(self.history);
        for (source, name) in SOURCES.iter().enumerate() {
            let events = self.history.events.iter().zip(&late);
            let events: Vec<_> = events
                .filter(|(event, _)| event.source == source && self.has(event.hour))
                .collect();
            let skewed: Vec<_> = events
                .iter()
                .filter(|(event, _)| event.clock_skewed)
                .collect();
            if let Some(first) = skewed.iter().map(|(event, _)| event.hour).min() {
                let key = ["clock_skew", "", "", name, ""];
                to.push(self.arrived(key, None, first, skewed.len()));
            }
            for session in std::iter::once(None).chain((0..self.history.owners.len()).map(Some)) {
                let late: Vec<_> = events
                    .iter()
                    .filter(|(event, late)| **late && event.session == session)
                    .collect();
                let Some(first) = late.iter().map(|(event, _)| event.hour).min() else {
                    continue;
                };
                let owner = session.map(|session| self.history.owners[session]);
                let (user, realm) = owner.map_or(("", ""), |owner| PERSONS[owner]);
                let id = session
                    .map(|session| format!("s{session}"))
                    .unwrap_or_default();
                let key = ["changed_after_final", user, realm, name, &id];
                to.push(self.arrived(key, owner, first, late.len()));
            }
        }
    }

    fn arrived(&self, key: [&str; 5], owner: Option<usize>, first: i64, number: usize) -> Expected {
        Expected {
            date: self.date,
            key: key.map(str::to_owned).to_vec(),
            employee_id: owner.and_then(|owner| self.employee(owner)),
            at: None,
            number: i64::try_from(number).ok(),
            other: None,
            other_at: Some(at(first)),
        }
    }
}
