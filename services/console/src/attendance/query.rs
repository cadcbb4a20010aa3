//! Parameters of the attendance page, parsed from its address.

use jiff::{Span, ToSpan, civil::Date};
use rollcall_store::attendance::{Attribution, Calendars, Grouping, Selection, Subject};

use super::{
    filter::Filter,
    order::{Order, Place, Sort},
    state::State,
};
use crate::parameters::{Invalid, Parameters, YEARS};

/// Address of the page.
pub const PATH: &str = "/console/";

/// Parameters of the attendance page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Length of the period.
    pub range: Range,
    /// A day of the period.
    pub date: Date,
    /// Name of the calendar.
    pub calendar: String,
    /// True if the persons of one employee are one row.
    pub employees: bool,
    /// True if mapped persons without a session have a row.
    pub absent: bool,
    /// True if the timeline is shown. Only a day has one.
    pub timeline: bool,
    /// A part of the user or of the employee ID.
    pub search: Option<String>,
    /// The realm.
    pub realm: Option<String>,
    /// The source. Selects persons with a session of it.
    pub source: Option<String>,
    /// The state of the rows.
    pub state: Option<State>,
    /// Order of the rows.
    pub order: Order,
    /// The part of the rows.
    pub place: Place,
}

/// Length of the period of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// A single reporting day.
    Day,
    /// From Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
}

impl Range {
    /// All ranges with their words in an address.
    pub const ALL: [(&str, Self); 3] = [
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
    ];

    /// Returns the first and the last day of the period with `date`.
    #[must_use]
    pub fn days(self, date: Date) -> (Date, Date) {
        let monday = i64::from(date.weekday().to_monday_zero_offset());
        match self {
            Self::Day => (date, date),
            Self::Week => (
                date.saturating_sub(monday.days()),
                date.saturating_add((6 - monday).days()),
            ),
            Self::Month => (date.first_of_month(), date.last_of_month()),
        }
    }

    /// Returns a day in the period before or after that of `date`, or None at the ends of the
    /// calendar.
    #[must_use]
    pub fn step(self, date: Date, forward: bool) -> Option<Date> {
        let (first, _) = self.days(date);
        let span: Span = match self {
            Self::Day => 1.day(),
            Self::Week => 1.week(),
            Self::Month => 1.month(),
        };
        let stepped = if forward {
            first.checked_add(span)
        } else {
            first.checked_sub(span)
        };
        stepped.ok().filter(|day| YEARS.contains(&day.year()))
    }
}

impl Query {
    /// Parses a query string. `today` is the default of the date.
    ///
    /// # Errors
    /// Lists all parameters that are invalid.
    pub fn parse(query: &str, today: Date) -> Result<Self, Vec<Invalid>> {
        let mut given = Parameters::new(query);
        let query = Self::take(&mut given, today);
        given.finish().map(|()| query)
    }

    /// Takes the parameters. An invalid parameter has its default, and `given` has the error.
    pub fn take(given: &mut Parameters, today: Date) -> Self {
        let date = given.date("date");
        let range = given.choice("range", &Range::ALL).unwrap_or(Range::Day);
        let sort = given.choice("sort", &Sort::ALL).unwrap_or_default();
        let descending = given.choice("direction", &[("desc", true), ("asc", false)]);
        let order = Order {
            sort,
            descending: descending.unwrap_or_default(),
        };
        Self {
            range,
            date: date.unwrap_or(today),
            calendar: given.name("calendar").unwrap_or_else(|| "default".into()),
            employees: given.choice("rows", &[("persons", false), ("employees", true)])
                == Some(true),
            absent: given.flag("absent"),
            timeline: given.choice("view", &[("table", false), ("timeline", true)]) == Some(true)
                && range == Range::Day,
            search: given.name("search"),
            realm: given.name("realm"),
            source: given.name("source"),
            state: given.choice("state", &State::ALL),
            order,
            place: Place::take(given, order),
        }
    }

    /// Returns the rows to ask the database for, on the days of these calendars.
    #[must_use]
    pub fn selection(&self, calendars: Calendars) -> Selection {
        let (first, last) = self.range.days(self.date);
        Selection {
            first,
            last,
            calendars,
            users: Vec::new(),
            realms: self.realm.iter().cloned().collect(),
            employee_ids: Vec::new(),
            sources: self.source.iter().cloned().collect(),
            grouping: match self.range {
                Range::Day => Grouping::Day,
                Range::Week | Range::Month => Grouping::Period,
            },
            subject: if self.employees {
                Subject::Employee
            } else {
                Subject::Person
            },
            attribution: Attribution::Login,
            include_absent: self.absent || self.state == Some(State::Absent),
        }
    }

    /// Returns the filter for the rows that the database returns.
    #[must_use]
    pub fn filter(&self) -> Filter {
        Filter::new(self.search.as_deref(), self.state)
    }

    /// Returns the address of this page.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{PATH}?{}", self.encoded())
    }

    /// Returns the address of the first page of this query.
    #[must_use]
    pub fn with(&self, change: impl FnOnce(&mut Self)) -> String {
        let mut changed = self.clone();
        changed.place = Place::Start;
        change(&mut changed);
        changed.address()
    }

    /// Returns the query string, without defaults.
    #[must_use]
    pub fn encoded(&self) -> String {
        let optional = |name, value: &Option<String>| value.clone().map(|value| (name, value));
        let given = |name, value: &str, wanted: bool| wanted.then(|| (name, value.to_owned()));
        let pairs = [
            given("range", word(&Range::ALL, self.range), true),
            Some(("date", self.date.to_string())),
            given("calendar", &self.calendar, self.calendar != "default"),
            given("rows", "employees", self.employees),
            given("absent", "on", self.absent),
            given("view", "timeline", self.timeline),
            optional("search", &self.search),
            optional("realm", &self.realm),
            optional("source", &self.source),
            self.state
                .map(|state| ("state", word(&State::ALL, state).to_owned())),
            given(
                "sort",
                word(&Sort::ALL, self.order.sort),
                self.order.sort != Sort::Name,
            ),
            given("direction", "desc", self.order.descending),
            self.place.pair(),
        ];
        let pairs: Vec<_> = pairs.into_iter().flatten().collect();
        serde_urlencoded::to_string(pairs).unwrap_or_default()
    }
}

/// Returns the word of a value in an address.
#[must_use]
pub fn word<T: Copy + PartialEq>(words: &[(&'static str, T)], value: T) -> &'static str {
    let found = words.iter().find(|(_, known)| *known == value);
    found.map_or("", |(word, _)| word)
}

#[cfg(test)]
mod tests;
