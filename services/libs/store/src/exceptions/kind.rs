//! Kinds of exceptions.

/// Kinds of exceptions that a person should look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Events of a session arrived for an instant through which their source already counted as
    /// complete, so that a final row may have changed.
    ChangedAfterFinal,
    /// Events of a source have a time far from their arrival.
    ClockSkew,
    /// A session ended without a logout, because its source restarted.
    ClosedByRestart,
    /// A session ended without a logout, because it was silent for too long.
    ClosedByTimeout,
    /// A source has not reported everything up to the end of a day that has passed.
    DayNotComplete,
    /// A session has a logout and no login, so that it is in no report.
    LogoutWithoutLogin,
    /// A session lasts longer than 24 hours.
    OpenLongerThanADay,
    /// A person had sessions on a day on which it is mapped to no employee, while others are.
    PersonWithoutEmployee,
    /// A user logged in to a realm while connected in another one.
    TwoRealmsAtOnce,
    /// A person logged in through a source while connected through another one.
    TwoSourcesAtOnce,
}

impl Kind {
    /// All kinds with the names that clients see and the database returns, by name.
    pub const ALL: [(&'static str, Self); 10] = [
        ("changed_after_final", Self::ChangedAfterFinal),
        ("clock_skew", Self::ClockSkew),
        ("closed_by_restart", Self::ClosedByRestart),
        ("closed_by_timeout", Self::ClosedByTimeout),
        ("day_not_complete", Self::DayNotComplete),
        ("logout_without_login", Self::LogoutWithoutLogin),
        ("open_longer_than_a_day", Self::OpenLongerThanADay),
        ("person_without_employee", Self::PersonWithoutEmployee),
        ("two_realms_at_once", Self::TwoRealmsAtOnce),
        ("two_sources_at_once", Self::TwoSourcesAtOnce),
    ];

    /// Returns the name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        // `ALL` is in the order of the variants.
        Self::ALL[self as usize].0
    }

    /// Parses the name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|(known, _)| *known == name).map(|(_, kind)| kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_the_variants_and_sorted() {
        assert!(Kind::ALL.is_sorted());
        for (name, kind) in Kind::ALL {
            assert_eq!((kind.as_str(), Kind::parse(name)), (name, Some(kind)));
        }
        assert_eq!(Kind::parse("other"), None);
    }
}
