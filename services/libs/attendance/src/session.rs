//! A session as the merge of what its events say.
//!
//! The merge is commutative, associative and idempotent, so that neither the order nor the
//! repetition of events changes it. `store` does the same merge in SQL when it adds a batch to
//! what is stored; a property test there holds the two together. How a session ended
//! is not merged, since it depends on the present too: see the migration `endings`, and `sweep` in `store`.

use jiff::Timestamp;

use crate::event::{Event, Fact, Kind};

/// What is known of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who it belongs to, as last spelled.
    pub user: Spelling,
    /// The realm last named; none when no event named one.
    pub realm: Option<Spelling>,
    /// The earliest login.
    pub login: Option<Login>,
    /// The latest logout.
    pub logout_at: Option<Timestamp>,
    /// The latest event of any kind.
    pub last_activity_at: Timestamp,
}

/// When a session began. One that was stated is believed before one that was derived from the session's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Login {
    /// Reckoned by `Kind::DerivedLogin`.
    pub derived: bool,
    /// When.
    pub at: Timestamp,
}

/// A name and when it was spelled so. The later one is the greater.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spelling {
    /// When the event occurred that spelled it.
    pub at: Timestamp,
    /// The name; of two at one instant the greater by code point is taken.
    pub name: String,
}

impl Session {
    /// What one event says of its session; with the session's id. None for a restart.
    #[must_use]
    pub fn of(event: &Event) -> Option<(&str, Self)> {
        let Fact::Session {
            kind,
            session_id,
            user,
            realm,
        } = &event.fact
        else {
            return None;
        };
        let at = event.occurred_at;
        let spelled = |name: &String| Spelling {
            at,
            name: name.clone(),
        };
        let session = Self {
            user: spelled(user),
            realm: realm.as_ref().map(spelled),
            login: match kind {
                Kind::Login => Some(Login { derived: false, at }),
                Kind::DerivedLogin => Some(Login { derived: true, at }),
                Kind::Active | Kind::Logout => None,
            },
            logout_at: (*kind == Kind::Logout).then_some(at),
            last_activity_at: at,
        };
        Some((session_id, session))
    }

    /// What two statements of one session say together.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            user: self.user.max(other.user),
            realm: self.realm.max(other.realm),
            login: self.login.into_iter().chain(other.login).min(),
            logout_at: self.logout_at.max(other.logout_at),
            last_activity_at: self.last_activity_at.max(other.last_activity_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn session() -> impl Strategy<Value = Session> {
        let instant =
            (0_i64..6).prop_map(|second| Timestamp::new(second, 0).expect("a small instant"));
        let spelling = (instant.clone(), "[aA]").prop_map(|(at, name)| Spelling { at, name });
        let login =
            (any::<bool>(), instant.clone()).prop_map(|(derived, at)| Login { derived, at });
        (
            spelling.clone(),
            prop::option::of(spelling),
            prop::option::of(login),
            prop::option::of(instant.clone()),
            instant,
        )
            .prop_map(
                |(user, realm, login, logout_at, last_activity_at)| Session {
                    user,
                    realm,
                    login,
                    logout_at,
                    last_activity_at,
                },
            )
    }

    proptest! {
        #[test]
        fn merge_is_commutative_associative_and_idempotent(a in session(), b in session(), c in session()) {
            prop_assert_eq!(a.clone().merge(b.clone()), b.clone().merge(a.clone()));
            prop_assert_eq!(a.clone().merge(b.clone()).merge(c.clone()), a.clone().merge(b.merge(c)));
            prop_assert_eq!(a.clone().merge(a.clone()), a);
        }
    }
}
