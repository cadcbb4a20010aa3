//! Parameters of the page of exceptions, parsed from its address.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{ToSpan, civil::Date};
use rollcall_store::{
    exceptions::{Kind, Position, Selection},
    persons::PersonFilter,
};

use crate::parameters::{Invalid, Parameters};

/// Address of the page.
pub const PATH: &str = "/console/exceptions";
/// Maximum number of days of the period.
pub const MAX_DAYS: i32 = 366;

/// Parameters of the page of exceptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// First day.
    pub first: Date,
    /// Last day, included.
    pub last: Date,
    /// Name of the calendar.
    pub calendar: String,
    /// The only kind. None selects all.
    pub kind: Option<Kind>,
    /// User, in any case.
    pub user: Option<String>,
    /// Realm, in any case.
    pub realm: Option<String>,
    /// The last exception of the page before.
    pub after: Option<Position>,
}

impl Query {
    /// Parses a query string. By default, the page shows the last seven days before `today`, and
    /// today.
    ///
    /// # Errors
    /// Lists all parameters that are invalid.
    pub fn parse(query: &str, today: Date) -> Result<Self, Vec<Invalid>> {
        let mut given = Parameters::new(query);
        let last = given.date("to");
        let first = given.date("from");
        let last = last.unwrap_or_else(|| first.unwrap_or(today).max(today));
        let first = first.unwrap_or_else(|| last.saturating_sub(7.days()));
        let days = (last - first).get_days();
        if !(0..MAX_DAYS).contains(&days) {
            given.fail("from", &first.to_string(), "exceptions.too_long");
        }
        let query = Self {
            first,
            last,
            calendar: given.name("calendar").unwrap_or_else(|| "default".into()),
            kind: given.choice("kind", &Kind::ALL),
            user: given.name("user"),
            realm: given.name("realm"),
            after: given.one("after", "invalid.place", decode),
        };
        given.finish().map(|()| query)
    }

    /// Returns the selection, on the days of a calendar with these bounds.
    #[must_use]
    pub fn selection(&self, day_bounds: Vec<jiff::Timestamp>) -> Selection {
        Selection {
            first_day: self.first,
            day_bounds,
            kinds: match self.kind {
                Some(kind) => vec![kind],
                None => Kind::ALL.map(|(_, kind)| kind).to_vec(),
            },
            persons: PersonFilter {
                users: self.user.iter().cloned().collect(),
                realms: self.realm.iter().cloned().collect(),
                employee_ids: Vec::new(),
            },
        }
    }

    /// Returns the address of the page that begins after `after`.
    #[must_use]
    pub fn address(&self, after: Option<&Position>) -> String {
        format!("{PATH}?{}", self.encoded(after))
    }

    /// Returns the query string.
    #[must_use]
    pub fn encoded(&self, after: Option<&Position>) -> String {
        let calendar = Some(self.calendar.clone()).filter(|name| name != "default");
        let pairs = [
            Some(("from", self.first.to_string())),
            Some(("to", self.last.to_string())),
            calendar.map(|name| ("calendar", name)),
            self.kind.map(|kind| ("kind", kind.as_str().to_owned())),
            self.user.clone().map(|user| ("user", user)),
            self.realm.clone().map(|realm| ("realm", realm)),
            after.map(|after| ("after", encode(after))),
        ];
        let pairs: Vec<_> = pairs.into_iter().flatten().collect();
        // A list of pairs can always be encoded.
        serde_urlencoded::to_string(pairs).unwrap_or_default()
    }
}

fn encode(position: &Position) -> String {
    // JSON of plain values cannot fail.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(position).unwrap_or_default())
}

fn decode(text: &str) -> Option<Position> {
    let json = URL_SAFE_NO_PAD.decode(text).ok()?;
    let position: Position = serde_json::from_slice(&json).ok()?;
    // PostgreSQL accepts no zero byte in a text. A key has five parts.
    let is_key = position.key.len() == 5 && !position.key.iter().any(|part| part.contains('\0'));
    is_key.then_some(position)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const TODAY: Date = date(2025, 2, 13);

    #[test]
    fn address_is_read_back() {
        let query = Query {
            first: date(2025, 1, 1),
            last: date(2025, 1, 31),
            calendar: "berlin".into(),
            kind: Some(Kind::ClockSkew),
            user: Some("<b>&".into()),
            realm: Some("Default".into()),
            after: Some(Position {
                date: date(2025, 1, 2),
                key: ["clock_skew", "", "", "gw-1", ""]
                    .map(str::to_owned)
                    .to_vec(),
            }),
        };
        let encoded = query.encoded(query.after.as_ref());
        assert_eq!(Query::parse(&encoded, TODAY), Ok(query));
    }

    #[test]
    fn default_is_the_last_week() {
        let query = Query::parse("", TODAY).expect("a query");
        assert_eq!((query.first, query.last), (date(2025, 2, 6), TODAY));
    }

    #[test]
    fn bad_periods_and_places_are_refused() {
        let errors = |query: &str| {
            let errors = Query::parse(query, TODAY).expect_err("an error");
            errors
                .into_iter()
                .map(|error| error.expected)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            errors("from=2025-02-01&to=2025-01-01"),
            ["exceptions.too_long"]
        );
        assert_eq!(
            errors("from=2020-02-01&to=2025-01-01"),
            ["exceptions.too_long"]
        );
        assert_eq!(
            errors("after=AAAA&kind=x"),
            ["invalid.choice", "invalid.place"]
        );
    }
}
