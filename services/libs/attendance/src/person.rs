//! Persons: pairs of a user and a realm.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::{DEFAULT_REALM, event::Event, name};

/// A person, which is the pair of the normalized names of a user and of a realm.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Person {
    /// The normalized name of the user.
    pub user: String,
    /// The normalized name of the realm.
    pub realm: String,
}

/// The names of a person as an event reported them. Of all forms of a person the greatest is shown:
/// the form of the latest day, and of several on this day the greatest by code point.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DisplayForm {
    /// The UTC date of the event.
    pub reported_on: Date,
    /// The user.
    pub user: String,
    /// The realm.
    pub realm: String,
}

impl Person {
    /// Returns the person with these names. A realm that is not given is [`DEFAULT_REALM`].
    #[must_use]
    pub fn new(user: &str, realm: Option<&str>) -> Self {
        Self {
            user: name::normalize(user),
            realm: name::normalize(realm.unwrap_or(DEFAULT_REALM)),
        }
    }

    /// Returns the person that an event names, with the form of its names. A restart names none.
    #[must_use]
    pub fn of(event: &Event) -> Option<(Self, DisplayForm)> {
        let (user, realm) = event.names()?;
        Some((
            Self::new(user, realm),
            DisplayForm::new(event.occurred_at, user, realm),
        ))
    }
}

impl DisplayForm {
    fn new(at: Timestamp, user: &str, realm: Option<&str>) -> Self {
        Self {
            reported_on: at.to_zoned(TimeZone::UTC).date(),
            user: name::displayed(user),
            realm: name::displayed(realm.unwrap_or(DEFAULT_REALM)),
        }
    }
}
