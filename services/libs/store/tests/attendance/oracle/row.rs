//! A row by brute force, from the parts of sessions that count in it.

use std::collections::BTreeSet;

use jiff::civil::Date;
use rollcall_attendance::row::{AttendanceRow, Continues, EndReason, Status};
use rollcall_store::attendance::Attribution;

use super::{
    history::{Minute, PERSONS, instant},
    model::{Session, is_complete},
    report::{Group, Oracle, Part, shown},
};

impl Oracle<'_> {
    pub fn row(
        &mut self,
        date: Option<Date>,
        subject: Result<&'static str, usize>,
        group: &Group,
    ) -> AttendanceRow {
        let (person, shown) = shown(subject, &group.mapped);
        let calendar = self.calendar(shown);
        let last_day = date.unwrap_or(self.selection.last);
        let time_zone = self.time_zone(calendar);
        let end = self.day(calendar, last_day).1;
        let parts = &group.parts;
        let numbers: BTreeSet<usize> = parts.iter().map(|part| part.session).collect();
        let all: Vec<&Session> = numbers
            .iter()
            .map(|number| &self.sessions[*number])
            .collect();
        let open = all.iter().filter(|session| session.end_reason.is_none());
        let open = i64::try_from(open.count()).expect("few");
        let minutes: BTreeSet<Minute> = parts.iter().flat_map(|part| part.from..part.to).collect();
        let lasts = all.iter().map(|session| session.last);
        let settled = lasts
            .chain(group.day_ends.iter().copied())
            .chain([end])
            .max();
        let is_final = open == 0 && is_complete(self.history, settled.expect("an end"), self.now);
        let is_whole = |session: &usize| {
            let parts = parts.iter().filter(|part| part.session == *session);
            parts.into_iter().all(|part| {
                let session = &self.sessions[*session];
                (part.from, part.to) == (session.login, session.last)
            })
        };
        let is_measured = numbers.iter().all(is_whole)
            && all.iter().all(|session| session.active_seconds.is_some());
        let ends_last = all.iter().max_by(|a, b| {
            let rank = |session: &Session| (session.last, std::cmp::Reverse(session.end_reason));
            rank(a).cmp(&rank(b))
        });
        let days: BTreeSet<Date> = parts.iter().map(|part| part.date).collect();
        let (user, realm) = PERSONS[person];
        AttendanceRow {
            date,
            days: date
                .is_none()
                .then(|| i64::try_from(days.len()).expect("few")),
            user: user.into(),
            realm: realm.unwrap_or("Default").into(),
            employee_id: shown.map(|mapping| mapping.employee_id.into()),
            first_login_at: parts.iter().map(|part| instant(part.from)).min(),
            last_logout_at: (open == 0)
                .then(|| parts.iter().map(|part| instant(part.to)).max())
                .flatten(),
            sessions: i64::try_from(numbers.len()).expect("few"),
            worked_seconds: i64::try_from(minutes.len() * 60).expect("few"),
            active_seconds: (is_measured && !all.is_empty()).then(|| {
                all.iter()
                    .filter_map(|session| session.active_seconds)
                    .sum()
            }),
            open_sessions: open,
            end_reason: ends_last
                .filter(|_| open == 0)
                .and_then(|session| EndReason::parse(session.end_reason?)),
            continues: (self.selection.attribution == Attribution::Overlap)
                .then(|| self.continues(parts)),
            status: if is_final {
                Status::Final
            } else {
                Status::Provisional
            },
            time_zone,
        }
    }

    /// A session continues beyond a row if its first or last part in the row is cut.
    fn continues(&self, parts: &[Part]) -> Continues {
        let first = |part: &Part| {
            let of_session = parts.iter().filter(|other| other.session == part.session);
            of_session.map(|other| other.from).min()
        };
        let last = |part: &Part| {
            let of_session = parts.iter().filter(|other| other.session == part.session);
            of_session.map(|other| other.to).max()
        };
        Continues {
            from_previous_day: parts
                .iter()
                .any(|part| first(part) > Some(self.sessions[part.session].login)),
            to_next_day: parts
                .iter()
                .any(|part| last(part) < Some(self.sessions[part.session].last)),
        }
    }
}
