//! Events: facts that a source reports. Each event is validated once, when it arrives.

mod evidence;
mod parse;

use std::mem;

pub use evidence::Evidence;
use jiff::{SignedDuration, Timestamp};
pub use rollcall_wire::{FieldError, RawEvent};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Maximum length of an event ID, in bytes.
pub const EVENT_ID_BYTES: usize = 128;
/// Maximum length of a session ID, name or other text of an event, in bytes.
pub const TEXT_BYTES: usize = 256;

/// An event that can be recorded.
///
/// [`Event::digest`] covers the serialized form. A new field must be skipped when it is absent.
/// Otherwise a gateway that repeats an old event after an upgrade gets a conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Unique within the source.
    pub event_id: String,
    /// Time of the event, UTC, in microseconds.
    pub occurred_at: Timestamp,
    /// Content of the event.
    pub fact: Fact,
    /// Time up to which the source has sent all its events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complete_through: Option<Timestamp>,
    /// Other details.
    pub evidence: Evidence,
    /// True if the time of the event is far from its arrival, so that a clock may be wrong. This
    /// depends on the arrival and does not belong to the content.
    #[serde(skip)]
    pub clock_skewed: bool,
    /// SHA-256 of the input that a rule made this event of. It replaces the digest of the content,
    /// so that the same input is the same event after a change of the rules.
    #[serde(skip)]
    pub input_digest: Option<[u8; 32]>,
    /// Names as reported, if [name rules](crate::name_rules) changed them.
    #[serde(skip)]
    pub reported_names: Option<Names>,
}

/// Names of a user and a realm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Name of the user.
    pub user: String,
    /// Name of the realm. `None` if the gateway names no realm.
    pub realm: Option<String>,
}

/// Time of arrival of an event, and the range of times that it accepts.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// Time of arrival.
    pub at: Timestamp,
    /// Earliest time that is accepted.
    pub earliest: Timestamp,
    /// Maximum time by which an event may lie after `at`.
    pub ahead: SignedDuration,
    /// Maximum difference from `at`, in either direction, of a clock that is thought to be right.
    pub skew: SignedDuration,
}

/// Fact that an event reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Fact {
    /// The event belongs to a session.
    Session {
        /// Kind of the event.
        kind: Kind,
        /// Session to which the event belongs.
        session: SessionName,
        /// Name of the user, as reported unless name rules changed it. Many gateways name the user
        /// in the login alone. So a log line or an event with a correlation key may have none,
        /// unless it is a login.
        user: Option<String>,
        /// Name of the realm, likewise. `None` if the gateway names no realm.
        realm: Option<String>,
    },
    /// The source restarted and knows nothing of its earlier sessions.
    Restart,
}

/// Name by which an event refers to its session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum SessionName {
    /// Session ID, which the gateway uses once.
    Id(String),
    /// Correlation key, which the gateway uses again over time: see [`crate::correlation`].
    CorrelationKey(String),
}

/// Kind of an event of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Kind {
    /// The session began.
    Login,
    /// Login computed from the session duration in a logout. A `Login` takes precedence.
    DerivedLogin,
    /// The session is still open.
    Active,
    /// The session ended.
    Logout,
}

impl Event {
    /// Returns the session ID, if the event names its session by one.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        match &self.fact {
            Fact::Session {
                session: SessionName::Id(id),
                ..
            } => Some(id),
            _ => None,
        }
    }

    /// Returns the correlation key, if the event names its session by one.
    #[must_use]
    pub fn correlation_key(&self) -> Option<&str> {
        match &self.fact {
            Fact::Session {
                session: SessionName::CorrelationKey(key),
                ..
            } => Some(key),
            _ => None,
        }
    }

    /// Returns the names of the user and the realm, if the event names a user.
    #[must_use]
    pub fn names(&self) -> Option<(&str, Option<&str>)> {
        match &self.fact {
            Fact::Session { user, realm, .. } => Some((user.as_deref()?, realm.as_deref())),
            Fact::Restart => None,
        }
    }

    /// Returns the SHA-256 of the content, or of the input if a rule made the event. Two events
    /// with the same ID are the same event if their digests are equal.
    #[must_use]
    #[allow(
        clippy::missing_panics_doc,
        reason = "an event contains no map, so that its JSON cannot fail"
    )]
    pub fn digest(&self) -> [u8; 32] {
        if let Some(digest) = self.input_digest {
            return digest;
        }
        let content = serde_json::to_vec(self).expect("JSON of plain fields");
        Sha256::digest(content).into()
    }

    /// Replaces the names, and keeps those that were reported. The digest remains that of the event
    /// as reported, so that the same event is a duplicate after a change of the name rules.
    pub(crate) fn rename(&mut self, names: Names) {
        let digest = self.digest();
        if let Fact::Session {
            user: Some(user),
            realm,
            ..
        } = &mut self.fact
        {
            let reported = Names {
                user: mem::replace(user, names.user),
                realm: mem::replace(realm, names.realm),
            };
            self.reported_names.get_or_insert(reported);
            self.input_digest = Some(digest);
        }
    }

    /// Sets the time in which the next activity event is due, unless the event itself announces
    /// one. This comes from the settings of the source and does not belong to the content of the
    /// event.
    pub fn set_next_in(&mut self, seconds: i64) {
        let continues = matches!(
            self.fact,
            Fact::Session {
                kind: Kind::Login | Kind::Active,
                ..
            }
        );
        if continues && self.evidence.next_in_seconds.is_none() {
            self.input_digest = Some(self.digest());
            self.evidence.next_in_seconds = Some(seconds);
        }
    }

    /// Returns the login that the duration of the session in a logout gives, or `None` if it lies
    /// outside the accepted range.
    #[must_use]
    pub fn derived_login(&self, arrival: &Arrival) -> Option<Self> {
        let duration = SignedDuration::from_secs(self.evidence.duration_seconds?);
        let mut login = self.clone();
        match &mut login.fact {
            Fact::Session { kind, .. } if *kind == Kind::Logout => *kind = Kind::DerivedLogin,
            _ => return None,
        }
        login.occurred_at = self.occurred_at.checked_sub(duration).ok()?;
        login.event_id = derived_login_id(&self.event_id);
        login.complete_through = None;
        login.clock_skewed = arrival.is_skewed(login.occurred_at);
        login.evidence = Evidence {
            reason: None,
            active_seconds: None,
            duration_seconds: None,
            next_in_seconds: None,
            last_activity_at: None,
            ..login.evidence
        };
        (login.occurred_at >= arrival.earliest).then_some(login)
    }
}

/// Returns the event ID of a derived login. It begins like that of the logout, so that both are
/// neighbours in an index.
fn derived_login_id(event_id: &str) -> String {
    let derived = format!("{event_id}-derived-login");
    if derived.len() <= EVENT_ID_BYTES {
        return derived;
    }
    let digest = hex::encode(Sha256::digest(event_id));
    format!("{digest}-derived-login")
}

impl Arrival {
    /// Returns true if the clock that set `occurred_at` may be wrong.
    fn is_skewed(&self, occurred_at: Timestamp) -> bool {
        occurred_at.duration_since(self.at).abs() > self.skew
    }
}
