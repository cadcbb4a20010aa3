//! Sessions of events that have a correlation key instead of a session ID: log lines that name a
//! session by an address, a port or a process ID, which is used again over time.
//!
//! The sessions are a function of the set of events, never of the order of arrival. In the order of
//! their times each login begins a session. Every other event belongs to the running session of its
//! key. If no session is running, because the latest one has logged out or was silent for longer
//! than the timeout, the event begins a session without a login.

use jiff::{SignedDuration, Timestamp};

use crate::session::Session;

/// An event with a correlation key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correlated {
    /// Event ID, unique within the source. It orders events of the same time.
    pub event_id: String,
    /// Content of the event: a session of this event alone.
    pub part: Session,
}

/// A session and its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Session ID: the correlation key, `@` and the time of the first event. Of several sessions
    /// that begin at the same time, the second and further ones have a number.
    pub session_id: String,
    /// Merge of the events.
    pub session: Session,
    /// IDs of the events.
    pub event_ids: Vec<String>,
}

impl Correlated {
    /// Time of the event.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.part.last_activity_at
    }

    /// Returns true if the event begins a session. A derived login, which comes with a logout, does
    /// not.
    #[must_use]
    pub fn is_login(&self) -> bool {
        self.part.login.is_some_and(|login| !login.derived)
    }

    /// Returns the type of the event: `login`, `active` or `logout`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match (self.is_login(), self.is_logout()) {
            (true, _) => "login",
            (_, true) => "logout",
            _ => "active",
        }
    }

    fn is_logout(&self) -> bool {
        self.part.logout_at.is_some()
    }
}

/// Returns the sessions of events of one correlation key, in order of their beginning.
///
/// The events may be a part of all events of the key:
/// - from and up to a login at whose time there is no logout. Sessions before and after such a
///   login do not depend on each other.
/// - all events after a certain time. `latest` is then the session that began last before that
///   time, which the events may continue.
#[must_use]
pub fn sessions(
    key: &str,
    latest: Option<Group>,
    mut events: Vec<Correlated>,
    timeout: SignedDuration,
) -> Vec<Group> {
    events.sort_by(|a, b| (a.at(), &a.event_id).cmp(&(b.at(), &b.event_id)));
    let mut grouping = Grouping {
        key,
        timeout,
        sessions: latest.into_iter().collect(),
    };
    for instant in events.chunk_by(|a, b| a.at() == b.at()) {
        grouping.add(instant);
    }
    grouping.sessions
}

struct Grouping<'a> {
    key: &'a str,
    timeout: SignedDuration,
    sessions: Vec<Group>,
}

impl Grouping<'_> {
    /// Adds all events of one time.
    fn add(&mut self, events: &[Correlated]) {
        let Some(first) = events.first() else { return };
        // Sessions that an event of this time can belong to, in order of their beginning.
        let mut candidates: Vec<usize> = self.running(first.at()).into_iter().collect();
        let (logins, others): (Vec<_>, Vec<_>) = events.iter().partition(|event| event.is_login());
        for login in &logins {
            candidates.push(self.begin(login));
        }
        for event in others {
            let has_no_logout = |&&index: &&usize| self.sessions[index].session.logout_at.is_none();
            let group = if event.is_logout() && !logins.is_empty() {
                candidates.iter().find(has_no_logout).or(candidates.last())
            } else {
                candidates.last()
            };
            match group.copied() {
                Some(index) => self.sessions[index].add(event),
                None => candidates.push(self.begin(event)),
            }
        }
    }

    /// Returns the latest session, unless it has ended before `at`.
    fn running(&self, at: Timestamp) -> Option<usize> {
        let latest = self.sessions.last()?;
        let session = &latest.session;
        let has_ended = session.logout_at.is_some()
            || at.duration_since(session.last_activity_at) > self.timeout;
        (!has_ended).then_some(self.sessions.len() - 1)
    }

    /// Begins a session with this event and returns its index.
    fn begin(&mut self, event: &Correlated) -> usize {
        let first = format!("{}@{}", self.key, event.at());
        let latest = self.sessions.iter().rev();
        let session_id = match latest
            .take_while(|group| group.session_id.starts_with(&first))
            .count()
        {
            0 => first,
            same_time => format!("{first}/{}", same_time + 1),
        };
        self.sessions.push(Group {
            session_id,
            session: event.part.clone(),
            event_ids: vec![event.event_id.clone()],
        });
        self.sessions.len() - 1
    }
}

impl Group {
    fn add(&mut self, event: &Correlated) {
        self.session = self.session.clone().merge(event.part.clone());
        self.event_ids.push(event.event_id.clone());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        person::Person,
        session::{Login, Owner},
    };

    const TIMEOUT: SignedDuration = SignedDuration::from_secs(4);

    fn event(number: usize, kind: &str, second: i64) -> Correlated {
        let at = Timestamp::new(second, 0).expect("a small instant");
        Correlated {
            event_id: format!("{number}-{kind}"),
            part: Session {
                owner: Some(Owner {
                    names_realm: false,
                    named_at: at,
                    person: Person::new("a", None),
                }),
                login: (kind == "login").then_some(Login { derived: false, at }),
                logout_at: (kind == "logout").then_some(at),
                last_activity_at: at,
                next_due_at: None,
                active_seconds: None,
                first_event_at: at,
            },
        }
    }

    /// Returns the events of each session, in order: `0-login 3-logout`.
    fn grouped(lines: &[(&str, i64)]) -> Vec<String> {
        let events = lines.iter().enumerate();
        let events = events.map(|(number, (kind, second))| event(number, kind, *second));
        let groups = sessions("k", None, events.collect(), TIMEOUT);
        groups
            .into_iter()
            .map(|group| group.event_ids.join(" "))
            .collect()
    }

    #[test]
    fn event_belongs_to_the_latest_login_of_its_key() {
        let lines = [
            ("login", 0),
            ("active", 1),
            ("logout", 2),
            ("login", 3),
            ("logout", 4),
        ];
        assert_eq!(
            grouped(&lines),
            ["0-login 1-active 2-logout", "3-login 4-logout"]
        );
    }

    #[test]
    fn event_after_a_logout_or_a_long_silence_begins_a_session_without_login() {
        let lines = [
            ("login", 0),
            ("logout", 1),
            ("active", 2),
            ("logout", 3),
            ("active", 8),
        ];
        assert_eq!(
            grouped(&lines),
            ["0-login 1-logout", "2-active 3-logout", "4-active"]
        );
        assert_eq!(grouped(&[("login", 0), ("active", 4)]).len(), 1);
        assert_eq!(grouped(&[("login", 0), ("active", 5)]).len(), 2);
    }

    #[test]
    fn logout_at_the_time_of_a_login_goes_to_the_earlier_session_without_logout() {
        let lines = [
            ("login", 0),
            ("login", 2),
            ("logout", 2),
            ("logout", 2),
            ("active", 2),
        ];
        assert_eq!(
            grouped(&lines),
            ["0-login 2-logout", "1-login 3-logout 4-active"]
        );
        let lines = [("login", 0), ("logout", 1), ("login", 2), ("logout", 2)];
        assert_eq!(grouped(&lines), ["0-login 1-logout", "2-login 3-logout"]);
    }

    #[test]
    fn sessions_that_begin_at_the_same_time_have_different_ids() {
        let events = vec![event(0, "login", 0), event(1, "login", 0)];
        let ids = sessions("k", None, events, TIMEOUT)
            .into_iter()
            .map(|group| group.session_id);
        let ids: Vec<_> = ids.collect();
        assert_eq!(ids, ["k@1970-01-01T00:00:00Z", "k@1970-01-01T00:00:00Z/2"]);
    }

    fn events() -> impl Strategy<Value = Vec<Correlated>> {
        let line = (
            prop::sample::select(vec!["login", "active", "logout"]),
            0..20_i64,
        );
        prop::collection::vec(line, 0..16).prop_map(|lines| {
            let events = lines.into_iter().enumerate();
            events
                .map(|(number, (kind, second))| event(number, kind, second))
                .collect()
        })
    }

    /// Returns the times of logins at which there is no logout.
    fn cuts(events: &[Correlated]) -> BTreeSet<Timestamp> {
        let logouts: BTreeSet<_> = events
            .iter()
            .filter(|event| event.is_logout())
            .map(Correlated::at)
            .collect();
        let logins = events
            .iter()
            .filter(|event| event.is_login())
            .map(Correlated::at);
        logins.filter(|at| !logouts.contains(at)).collect()
    }

    proptest! {
        #[test]
        fn order_of_arrival_changes_nothing(
            (one, other) in events().prop_flat_map(|events| {
                (Just(events.clone()), Just(events).prop_shuffle())
            }),
        ) {
            let [one, other] = [one, other].map(|events| sessions("k", None, events, TIMEOUT));
            prop_assert_eq!(one, other);
        }

        #[test]
        fn sessions_on_both_sides_of_a_cut_are_those_of_all_events(events in events()) {
            let all = sessions("k", None, events.clone(), TIMEOUT);
            for cut in cuts(&events) {
                let (before, after): (Vec<_>, Vec<_>) =
                    events.clone().into_iter().partition(|event| event.at() < cut);
                let parts = [before, after].map(|part| sessions("k", None, part, TIMEOUT)).concat();
                prop_assert_eq!(&parts, &all);
            }
        }

        #[test]
        fn events_after_a_time_continue_the_latest_session(events in events(), time in 0..20_i64) {
            let all = sessions("k", None, events.clone(), TIMEOUT);
            let time = Timestamp::new(time, 0).expect("a small instant");
            let (before, after): (Vec<_>, Vec<_>) =
                events.into_iter().partition(|event| event.at() < time);
            let mut groups = sessions("k", None, before, TIMEOUT);
            let latest = groups.pop();
            groups.extend(sessions("k", latest, after, TIMEOUT));
            prop_assert_eq!(groups, all);
        }

        #[test]
        fn each_event_belongs_to_one_session_and_each_login_begins_one(events in events()) {
            let groups = sessions("k", None, events.clone(), TIMEOUT);
            let ids: Vec<_> = groups.iter().flat_map(|group| group.event_ids.clone()).collect();
            prop_assert_eq!(ids.len(), events.len());
            prop_assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), events.len());
            for group in groups {
                let logins = group.event_ids.iter().filter(|id| id.ends_with("login")).count();
                prop_assert!(logins == usize::from(group.session.login.is_some()), "{group:?}");
            }
        }
    }
}
