//! The words for exceptions.

use rollcall_store::exceptions::{Exception, Kind};

use crate::{
    messages::Language,
    times::{Times, length_of},
};

/// What a page says about a kind: the section of the message files that has a text for each kind.
#[derive(Debug, Clone, Copy)]
pub enum Section {
    /// Name of the kind.
    Name,
    /// Meaning of the kind.
    Meaning,
    /// Advice to the reader.
    Action,
}

impl Section {
    /// All sections.
    pub const ALL: [Self; 3] = [Self::Name, Self::Meaning, Self::Action];

    /// Returns the name of the section.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "kind",
            Self::Meaning => "meaning",
            Self::Action => "action",
        }
    }

    /// Returns the text about a kind.
    #[must_use]
    pub fn of(self, kind: Kind, language: Language) -> &'static str {
        language.text_in(self.as_str(), kind.as_str())
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
