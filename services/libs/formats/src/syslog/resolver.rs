//! Finds the session of a log line by its correlation key.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rollcall_attendance::event::RawEvent;

use super::Matched;

/// Logins of the lines that were read, by correlation key.
///
/// A line belongs to the latest login of its key at or before it. Every reader of log lines uses
/// this rule: the syslog receiver, the forwarder and the command line.
#[derive(Debug, Default)]
pub struct Logins(BTreeMap<String, BTreeSet<Timestamp>>);

impl Logins {
    /// Returns the raw event of a line with the ID of its session.
    ///
    /// # Errors
    /// Returns the line if no login of its session was read. The caller passes the login that was
    /// read earlier, if there is one, to [`Matched::session`].
    pub fn resolve(&mut self, matched: Matched) -> Result<RawEvent, Box<Matched>> {
        let Some(at) = matched.occurred_at() else {
            return Ok(matched.session(None));
        };
        if matched.key.is_empty() {
            return Ok(matched.session(None));
        }
        if matched.begins() {
            let logins = self.0.entry(matched.key.clone()).or_default();
            logins.insert(at);
        }
        match self.latest(&matched.key, at) {
            Some(login) => Ok(matched.session(Some(&login.to_string()))),
            None => Err(Box::new(matched)),
        }
    }

    /// Returns the latest login of each correlation key, RFC 3339 in UTC.
    pub fn latest_of_each(&self) -> impl Iterator<Item = (&str, String)> {
        let latest = |logins: &BTreeSet<Timestamp>| logins.last().map(Timestamp::to_string);
        self.0
            .iter()
            .filter_map(move |(key, logins)| Some((key.as_str(), latest(logins)?)))
    }

    fn latest(&self, key: &str, at: Timestamp) -> Option<Timestamp> {
        self.0.get(key)?.range(..=at).next_back().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: &str, at: &str) -> Matched {
        Matched {
            rule: "rule".into(),
            key: "sshd/gw/7".into(),
            raw: RawEvent {
                kind: Some(kind.into()),
                occurred_at: Some(at.into()),
                ..RawEvent::default()
            },
        }
    }

    #[test]
    fn line_belongs_to_the_latest_login_at_or_before_it() {
        let mut logins = Logins::default();
        for at in ["2025-01-01T10:00:00+00:00", "2025-01-01T08:00:00+00:00"] {
            assert!(logins.resolve(line("login", at)).is_ok());
        }
        for (at, login) in [("09", "08"), ("10", "10"), ("11", "10")] {
            let logout = logins.resolve(line("logout", &format!("2025-01-01T{at}:00:00Z")));
            let session_id = logout.expect("a known login").session_id;
            let expected = format!("sshd/gw/7@2025-01-01T{login}:00:00Z");
            assert_eq!(session_id, Some(expected));
        }
    }

    #[test]
    fn line_before_all_logins_is_returned() {
        let mut logins = Logins::default();
        let login = logins.resolve(line("login", "2025-01-01T08:00:00Z"));
        assert!(login.is_ok());
        let early = line("logout", "2025-01-01T07:00:00Z");
        assert_eq!(logins.resolve(early.clone()), Err(Box::new(early)));
    }

    #[test]
    fn latest_of_each_names_the_last_login_of_a_key() {
        let mut logins = Logins::default();
        for at in ["2025-01-01T10:00:00Z", "2025-01-01T08:00:00Z"] {
            assert!(logins.resolve(line("login", at)).is_ok());
        }
        let latest: Vec<_> = logins.latest_of_each().collect();
        assert_eq!(latest, [("sshd/gw/7", "2025-01-01T10:00:00Z".to_owned())]);
    }
}
