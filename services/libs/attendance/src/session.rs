//! A session as the merge of its events.
//!
//! The merge is commutative, associative and idempotent, so neither the order nor the repetition of
//! events changes a session. `store` does the same merge in SQL when it adds a batch to the stored
//! sessions, and a property test there compares the two. The end of a session is not merged,
//! because it also depends on the source's restarts and on the present time.

use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};

use crate::{
    event::{Event, Fact, Kind, SessionName},
    person::Person,
};

/// Merge of all events of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The person to whom the session belongs. None if no event names a user.
    pub owner: Option<Owner>,
    /// Login time. None if no event gives one.
    pub login: Option<Login>,
    /// Time of the latest logout event.
    pub logout_at: Option<Timestamp>,
    /// Time of the latest event of any type.
    pub last_activity_at: Timestamp,
    /// Twice the time after the latest event in which that event announced the next one. A session
    /// without an event until then is closed by timeout as soon as its source has reported a later
    /// event. None if the latest event announced nothing.
    pub next_due_at: Option<Timestamp>,
    /// Time without idle time in seconds: the greatest that an event gives, because a gateway that
    /// measures it counts up. None if no event gives one.
    pub active_seconds: Option<i64>,
    /// Time of the earliest event of any type.
    pub first_event_at: Timestamp,
}

/// The person that an event names. The greatest owner of all events takes precedence, so an event
/// that names a realm takes precedence over all that do not. User and realm are never mixed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// True if the event names a realm.
    pub names_realm: bool,
    /// Time of the event.
    pub named_at: Timestamp,
    /// The person.
    pub person: Person,
}

/// Login time. A login that the gateway reported takes precedence over one derived from the session
/// duration. Of two logins of the same kind the earlier takes precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Login {
    /// True for a derived login ([`Kind::DerivedLogin`]).
    pub derived: bool,
    /// Time of the login.
    pub at: Timestamp,
}

impl Session {
    /// Returns what an event says of its session, or None for a restart, which concerns no single
    /// session.
    ///
    /// A logout with a correlation key and a duration includes the derived login. With a session
    /// ID, the derived login is an event of its own.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        let Fact::Session { kind, session, .. } = &event.fact else {
            return None;
        };
        let at = event.occurred_at;
        let login = match (kind, session) {
            (Kind::Login, _) => Some(Login { derived: false, at }),
            (Kind::DerivedLogin, _) => Some(Login { derived: true, at }),
            (Kind::Logout, SessionName::CorrelationKey(_)) => derived_login(event),
            (Kind::Active | Kind::Logout, _) => None,
        };
        Some(Self {
            owner: event.names().map(|(user, realm)| Owner {
                names_realm: realm.is_some(),
                named_at: at,
                person: Person::new(user, realm),
            }),
            login,
            logout_at: (*kind == Kind::Logout).then_some(at),
            last_activity_at: at,
            next_due_at: next_due(event),
            active_seconds: event.evidence.active_seconds,
            first_event_at: at,
        })
    }

    /// Merges what two sets of events say of the same session.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            next_due_at: match self.last_activity_at.cmp(&other.last_activity_at) {
                Ordering::Less => other.next_due_at,
                Ordering::Equal => self.next_due_at.max(other.next_due_at),
                Ordering::Greater => self.next_due_at,
            },
            owner: self.owner.max(other.owner),
            login: self.login.into_iter().chain(other.login).min(),
            logout_at: self.logout_at.max(other.logout_at),
            last_activity_at: self.last_activity_at.max(other.last_activity_at),
            active_seconds: self.active_seconds.max(other.active_seconds),
            first_event_at: self.first_event_at.min(other.first_event_at),
        }
    }
}

fn next_due(event: &Event) -> Option<Timestamp> {
    // Gateways write 0 if no further event is due.
    let next_in = event
        .evidence
        .next_in_seconds
        .filter(|next_in| *next_in > 0)?;
    let wait = SignedDuration::from_secs(next_in.checked_mul(2)?);
    event.occurred_at.checked_add(wait).ok()
}

fn derived_login(logout: &Event) -> Option<Login> {
    let duration = SignedDuration::from_secs(logout.evidence.duration_seconds?);
    let at = logout.occurred_at.checked_sub(duration).ok()?;
    Some(Login { derived: true, at })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn session() -> impl Strategy<Value = Session> {
        let instant =
            (0_i64..6).prop_map(|second| Timestamp::new(second, 0).expect("a small instant"));
        let owner = (any::<bool>(), instant.clone(), "[ab]", "[ab]").prop_map(
            |(names_realm, named_at, user, realm)| Owner {
                names_realm,
                named_at,
                person: Person { user, realm },
            },
        );
        let owner = prop::option::of(owner);
        let login =
            (any::<bool>(), instant.clone()).prop_map(|(derived, at)| Login { derived, at });
        (
            owner,
            prop::option::of(login),
            prop::option::of(instant.clone()),
            instant.clone(),
            prop::option::of(instant.clone()),
            prop::option::of(0..3_i64),
            instant,
        )
            .prop_map(
                |(
                    owner,
                    login,
                    logout_at,
                    last_activity_at,
                    next_due_at,
                    active_seconds,
                    first_event_at,
                )| Session {
                    owner,
                    login,
                    logout_at,
                    last_activity_at,
                    next_due_at,
                    active_seconds,
                    first_event_at,
                },
            )
    }

    proptest! {
        #[test]
        fn merge_is_commutative_associative_and_idempotent(
            a in session(),
            b in session(),
            c in session(),
        ) {
            prop_assert_eq!(a.clone().merge(b.clone()), b.clone().merge(a.clone()));
            let left = a.clone().merge(b.clone()).merge(c.clone());
            prop_assert_eq!(left, a.clone().merge(b.merge(c)));
            prop_assert_eq!(a.clone().merge(a.clone()), a);
        }
    }
}
