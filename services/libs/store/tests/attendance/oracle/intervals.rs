//! Intervals and unmapped persons by brute force.

use jiff::civil::Date;
use rollcall_attendance::row::{Interval, Status};

use super::{
    history::{Mapping, Minute, PERSONS, instant},
    model::is_complete,
    report::{Oracle, shown},
};

/// Sessions that overlap or touch.
struct Merged {
    subject: Result<&'static str, usize>,
    /// Login and day of the first session.
    first: (Minute, Date),
    last: Minute,
    is_open: bool,
    settled: Minute,
}

impl Merged {
    fn absorbs(&self, other: &Self) -> bool {
        self.subject == other.subject
            && self.first.0 <= other.until()
            && other.first.0 <= self.until()
    }

    /// Returns the last minute in which a session can lie that belongs to this interval.
    fn until(&self) -> Minute {
        if self.is_open { Minute::MAX } else { self.last }
    }

    fn with(&self, other: &Self) -> Self {
        Self {
            subject: self.subject,
            first: self.first.min(other.first),
            last: self.last.max(other.last),
            is_open: self.is_open || other.is_open,
            settled: self.settled.max(other.settled),
        }
    }
}

impl Oracle<'_> {
    /// Returns the intervals in order.
    pub fn intervals(&mut self) -> Vec<Interval> {
        let mut all = self.single_sessions();
        while let Some((a, b)) = pair(&all) {
            let other = all.remove(b);
            all[a] = all[a].with(&other);
        }
        let mut intervals: Vec<_> = all.iter().map(|merged| self.interval(merged)).collect();
        intervals.sort_by_key(|interval| {
            let employee = interval.employee_id.clone();
            let names = (interval.user.clone(), interval.realm.to_lowercase());
            (employee.is_none(), employee, interval.start_at, names)
        });
        intervals
    }

    fn single_sessions(&mut self) -> Vec<Merged> {
        let mut all = Vec::new();
        for (person, date, mapping, (start, end)) in self.person_days() {
            for session in &self.sessions {
                if session.person == person && (start..end).contains(&session.login) {
                    all.push(Merged {
                        subject: mapping.map(|mapping| mapping.employee_id).ok_or(person),
                        first: (session.login, date),
                        last: session.last,
                        is_open: session.end_reason.is_none(),
                        settled: session.last.max(end),
                    });
                }
            }
        }
        all
    }

    fn interval(&mut self, merged: &Merged) -> Interval {
        let date = merged.first.1;
        let days = self.person_days().into_iter();
        let mapped: Vec<(Date, &Mapping)> = days
            .filter(|day| day.1 == date)
            .filter_map(|day| Some((date, day.2?)))
            .filter(|(_, mapping)| match merged.subject {
                Ok(employee) => mapping.employee_id == employee,
                Err(_) => false,
            })
            .collect();
        let (person, mapping) = shown(merged.subject, &mapped);
        let calendar = self.calendar(mapping);
        let settled = merged.settled.max(self.day(calendar, date).1);
        let is_final = !merged.is_open && is_complete(self.history, settled, self.now);
        let (user, realm) = PERSONS[person];
        Interval {
            date,
            employee_id: merged.subject.ok().map(Into::into),
            user: user.into(),
            realm: realm.unwrap_or("Default").into(),
            start_at: instant(merged.first.0),
            end_at: (!merged.is_open).then(|| instant(merged.last)),
            status: if is_final {
                Status::Final
            } else {
                Status::Provisional
            },
            time_zone: self.time_zone(calendar),
        }
    }

    /// Returns the names of persons with a session on a day without an employee, in order.
    pub fn unmapped(&mut self) -> Vec<(String, String)> {
        let days = self.person_days().into_iter();
        let mut names: Vec<_> = days
            .filter(|(person, _, mapping, (start, end))| {
                let mut sessions = self.sessions.iter();
                mapping.is_none()
                    && sessions.any(|session| {
                        session.person == *person && (*start..*end).contains(&session.login)
                    })
            })
            .map(|(person, ..)| PERSONS[person])
            .map(|(user, realm)| (user.to_owned(), realm.unwrap_or("Default").to_owned()))
            .collect();
        names.sort_by_key(|(user, realm)| (user.clone(), realm.to_lowercase()));
        names.dedup();
        names
    }
}

/// Returns two intervals that are one.
fn pair(all: &[Merged]) -> Option<(usize, usize)> {
    let numbers = 0..all.len();
    let mut pairs = numbers.flat_map(|a| (a + 1..all.len()).map(move |b| (a, b)));
    pairs.find(|(a, b)| all[*a].absorbs(&all[*b]))
}
