//! The order of the rows of a page, and where the page begins.

use std::cmp::Ordering;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{Timestamp, civil::Date};
use rollcall_attendance::row::AttendanceRow;
use rollcall_store::attendance::Position;

use crate::parameters::Parameters;

/// By what rows are sorted. Rows with equal values follow in the order of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// By the normalized user and realm.
    #[default]
    Name,
    /// By the first login.
    FirstLogin,
    /// By the last logout.
    LastLogout,
    /// By the worked time.
    Worked,
    /// By the number of sessions.
    Sessions,
}

impl Sort {
    /// All orders with their words in an address.
    pub const ALL: [(&str, Self); 5] = [
        ("name", Self::Name),
        ("first", Self::FirstLogin),
        ("last", Self::LastLogout),
        ("worked", Self::Worked),
        ("sessions", Self::Sessions),
    ];
}

/// The order of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Order {
    /// By what rows are sorted.
    pub sort: Sort,
    /// True if the greatest value comes first. Rows without a value always come last.
    pub descending: bool,
}

/// The place of a row in an order. Keys of different orders cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// True for a row without a value, which comes last.
    lacks_value: bool,
    value: i64,
    /// The place among rows with the same value.
    pub position: Position,
    descending: bool,
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let values = (self.value, &self.position).cmp(&(other.value, &other.position));
        self.lacks_value
            .cmp(&other.lacks_value)
            .then(if self.descending {
                values.reverse()
            } else {
                values
            })
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The part of the rows that a page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// From the first row.
    Start,
    /// The rows after this one.
    After(Key),
    /// The rows before this one.
    Before(Key),
}

impl Order {
    /// Returns true if the database returns rows in this order.
    #[must_use]
    pub fn is_native(self) -> bool {
        self.sort == Sort::Name && !self.descending
    }

    /// Returns the place of a row.
    #[must_use]
    pub fn key(self, row: &AttendanceRow) -> Key {
        let microseconds = |at: Option<Timestamp>| at.map(Timestamp::as_microsecond);
        let value = match self.sort {
            Sort::Name => Some(0),
            Sort::FirstLogin => microseconds(row.first_login_at),
            Sort::LastLogout => microseconds(row.last_logout_at),
            Sort::Worked => Some(row.worked_seconds),
            Sort::Sessions => Some(row.sessions),
        };
        Key {
            lacks_value: value.is_none(),
            value: value.unwrap_or_default(),
            position: Position::of(row),
            descending: self.descending,
        }
    }
}

/// The parts of a key in an address.
type Parts = (bool, i64, Option<Date>, String, String, Option<String>);

impl Key {
    fn encode(&self) -> String {
        let position = self.position.clone();
        let parts: Parts = (
            self.lacks_value,
            self.value,
            position.date,
            position.user,
            position.realm,
            position.employee_id,
        );
        // JSON of plain values cannot fail.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&parts).unwrap_or_default())
    }

    fn decode(text: &str, order: Order) -> Option<Self> {
        let json = URL_SAFE_NO_PAD.decode(text).ok()?;
        let parts: Parts = serde_json::from_slice(&json).ok()?;
        let (lacks_value, value, date, user, realm, employee_id) = parts;
        // PostgreSQL accepts no zero byte in a text.
        let texts = [Some(&user), Some(&realm), employee_id.as_ref()];
        let is_text = texts.into_iter().flatten().all(|text| !text.contains('\0'));
        is_text.then_some(Self {
            lacks_value,
            value,
            position: Position {
                date,
                user,
                realm,
                employee_id,
            },
            descending: order.descending,
        })
    }
}

impl Place {
    pub(super) fn take(given: &mut Parameters, order: Order) -> Self {
        let decode = |text: &str| Key::decode(text, order);
        let after = given.one("after", "invalid.place", decode);
        let before = given.one("before", "invalid.place", decode);
        match (after, before) {
            (Some(_), Some(_)) => {
                given.fail("before", "", "invalid.place");
                Self::Start
            }
            (Some(key), None) => Self::After(key),
            (None, Some(key)) => Self::Before(key),
            (None, None) => Self::Start,
        }
    }

    pub(super) fn pair(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Start => None,
            Self::After(key) => Some(("after", key.encode())),
            Self::Before(key) => Some(("before", key.encode())),
        }
    }
}
