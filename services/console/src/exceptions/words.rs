//! The words for exceptions.

use rollcall_store::exceptions::{Exception, Kind};

use crate::{
    messages::Language,
    times::{Times, length_of},
};

/// Section of the message files that has a text for each kind of exception.
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
        Kind::OpenLongerThanADay if exception.other.is_none() => "exception.open_longer_than_a_day",
        Kind::OpenLongerThanADay => "exception.lasted_longer_than_a_day",
        Kind::PersonWithoutEmployee => "exception.person_without_employee",
        Kind::TwoRealmsAtOnce => "exception.two_realms_at_once",
        Kind::TwoSourcesAtOnce => "exception.two_sources_at_once",
    };
    times.say(key, &values)
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, civil::date, tz::TimeZone};
    use rollcall_store::exceptions::Position;

    use super::*;

    fn sentence(kind: Kind, other: Option<&str>, language: Language) -> String {
        let day = date(2025, 1, 1);
        let at = |text: &str| text.parse::<Timestamp>().expect("an instant");
        let exception = Exception {
            position: Position {
                date: day,
                key: Vec::new(),
            },
            kind,
            user: None,
            realm: None,
            employee_id: None,
            source: None,
            session: None,
            at: at("2025-01-01T08:00:00Z"),
            number: Some(90_000),
            other: other.map(str::to_owned),
            other_at: Some(at("2025-01-01T07:00:00Z")),
        };
        let zone = TimeZone::UTC;
        let times = Times {
            language,
            zone,
            day,
        };
        detail(&exception, &times)
    }

    #[test]
    fn second_connection_is_through_a_source_or_in_a_realm() {
        for (kind, language, expected) in [
            (
                Kind::TwoSourcesAtOnce,
                Language::English,
                "Signed in at 08:00, while connected through the source Sales since 07:00.",
            ),
            (
                Kind::TwoRealmsAtOnce,
                Language::English,
                "Signed in at 08:00, while connected in the realm Sales since 07:00.",
            ),
            (
                Kind::TwoRealmsAtOnce,
                Language::German,
                "Anmeldung um 08:00 Uhr, während einer Verbindung im Realm Sales seit 07:00 Uhr.",
            ),
        ] {
            assert_eq!(sentence(kind, Some("Sales"), language), expected);
        }
    }

    #[test]
    fn long_session_is_open_or_has_ended() {
        let long = |end_reason| sentence(Kind::OpenLongerThanADay, end_reason, Language::English);
        assert_eq!(
            long(None),
            "The session has been open for 25 h since its login at 08:00."
        );
        assert_eq!(
            long(Some("logout")),
            "The session lasted 25 h from its login at 08:00. It has ended."
        );
    }
}
