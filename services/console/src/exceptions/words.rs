//! The words for exceptions.

use rollcall_store::exceptions::{Exception, Kind};

use crate::times::{Times, length_of};

/// Keys of the messages about a kind.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// Name of the kind.
    pub name: &'static str,
    /// Meaning of the kind.
    pub meaning: &'static str,
    /// Advice to the reader.
    pub action: &'static str,
}

/// Returns the words for a kind.
#[must_use]
pub fn of(kind: Kind) -> Words {
    let words = |name, meaning, action| Words {
        name,
        meaning,
        action,
    };
    match kind {
        Kind::ChangedAfterFinal => words(
            "kind.changed_after_final",
            "meaning.changed_after_final",
            "action.changed_after_final",
        ),
        Kind::ClockSkew => words("kind.clock_skew", "meaning.clock_skew", "action.clock_skew"),
        Kind::ClosedByRestart => words(
            "kind.closed_by_restart",
            "meaning.closed_by_restart",
            "action.closed_by_restart",
        ),
        Kind::ClosedByTimeout => words(
            "kind.closed_by_timeout",
            "meaning.closed_by_timeout",
            "action.closed_by_timeout",
        ),
        Kind::DayNotComplete => words(
            "kind.day_not_complete",
            "meaning.day_not_complete",
            "action.day_not_complete",
        ),
        Kind::LogoutWithoutLogin => words(
            "kind.logout_without_login",
            "meaning.logout_without_login",
            "action.logout_without_login",
        ),
        Kind::OpenLongerThanADay => words(
            "kind.open_longer_than_a_day",
            "meaning.open_longer_than_a_day",
            "action.open_longer_than_a_day",
        ),
        Kind::PersonWithoutEmployee => words(
            "kind.person_without_employee",
            "meaning.person_without_employee",
            "action.person_without_employee",
        ),
        Kind::TwoRealmsAtOnce => words(
            "kind.two_realms_at_once",
            "meaning.two_realms_at_once",
            "action.two_realms_at_once",
        ),
        Kind::TwoSourcesAtOnce => words(
            "kind.two_sources_at_once",
            "meaning.two_sources_at_once",
            "action.two_sources_at_once",
        ),
    }
}

/// Returns a sentence about what happened.
#[must_use]
pub fn detail(exception: &Exception, times: &Times) -> String {
    let at = times.moment(exception.at);
    let other_at = exception.other_at.map(|at| times.moment(at));
    let number = exception.number.unwrap_or_default();
    let (length, number) = (length_of(number), number.to_string());
    let values = [
        ("at", at.as_str()),
        ("other_at", other_at.as_deref().unwrap_or_default()),
        ("other", exception.other.as_deref().unwrap_or_default()),
        ("number", &number),
        ("length", &length),
    ];
    let key = match exception.kind {
        Kind::ChangedAfterFinal => "exception.changed_after_final",
        Kind::ClockSkew => "exception.clock_skew",
        Kind::ClosedByRestart | Kind::ClosedByTimeout => "exception.closed",
        Kind::DayNotComplete if other_at.is_none() => "exception.day_never_complete",
        Kind::DayNotComplete => "exception.day_not_complete",
        Kind::LogoutWithoutLogin => "exception.logout_without_login",
        Kind::OpenLongerThanADay => "exception.open_longer_than_a_day",
        Kind::PersonWithoutEmployee => "exception.person_without_employee",
        Kind::TwoRealmsAtOnce | Kind::TwoSourcesAtOnce => "exception.at_once",
    };
    times.say(key, &values)
}
