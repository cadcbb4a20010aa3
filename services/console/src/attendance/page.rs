//! Chooses the rows of a page among those that the database returns.

use std::collections::BTreeMap;

use futures::{Stream, TryStreamExt};
use rollcall_attendance::row::AttendanceRow;

use super::order::{Key, Order, Place};

/// Number of rows of a page.
pub const ROWS: usize = 100;

/// The rows of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The rows in their order, at most [`ROWS`].
    pub rows: Vec<AttendanceRow>,
    /// The page before this one. None on the first page.
    pub previous: Option<Place>,
    /// The page after this one. None on the last page.
    pub next: Option<Place>,
}

/// Returns a page of those rows for which `keeps` returns true. Only the rows of the page are in
/// memory. If `rows` come in the order of the page, only one row more than needed is read: a query
/// that is limited to the page is then read to its end, and its connection can be used again.
///
/// # Errors
/// `rows` returns an error.
pub async fn choose<E>(
    rows: impl Stream<Item = Result<AttendanceRow, E>>,
    order: Order,
    place: Place,
    keeps: impl Fn(&AttendanceRow) -> bool,
) -> Result<Page, E> {
    let mut chosen = Chosen::new(place);
    let mut rows = std::pin::pin!(rows);
    let mut is_complete = false;
    while let Some(row) = rows.try_next().await?.filter(|_| !is_complete) {
        is_complete = keeps(&row) && chosen.add(order.key(&row), row) && order.is_native();
    }
    Ok(chosen.page())
}

/// The rows of a page and one more, which shows that there is a page behind it.
struct Chosen {
    place: Place,
    rows: BTreeMap<Key, AttendanceRow>,
}

impl Chosen {
    fn new(place: Place) -> Self {
        let rows = BTreeMap::new();
        Self { place, rows }
    }

    /// Adds a row if it belongs to the page. Returns true if no greater row can belong to it.
    fn add(&mut self, key: Key, row: AttendanceRow) -> bool {
        let (belongs, forward) = match &self.place {
            Place::Start => (true, true),
            Place::After(after) => (key > *after, true),
            Place::Before(before) => (key < *before, false),
        };
        if belongs {
            self.rows.insert(key, row);
        }
        if self.rows.len() > ROWS + 1 {
            let _ = if forward {
                self.rows.pop_last()
            } else {
                self.rows.pop_first()
            };
        }
        if forward {
            self.rows.len() > ROWS
        } else {
            !belongs
        }
    }

    fn page(mut self) -> Page {
        let has_more = self.rows.len() > ROWS;
        let before = matches!(self.place, Place::Before(_));
        if has_more {
            let _ = if before {
                self.rows.pop_first()
            } else {
                self.rows.pop_last()
            };
        }
        let first = self.rows.first_key_value().map(|(key, _)| key.clone());
        let last = self.rows.last_key_value().map(|(key, _)| key.clone());
        let (has_previous, has_next) = match self.place {
            Place::Start => (false, has_more),
            Place::After(_) => (true, has_more),
            // The page from which the visitor came follows.
            Place::Before(_) => (has_more, true),
        };
        Page {
            rows: self.rows.into_values().collect(),
            previous: first.filter(|_| has_previous).map(Place::Before),
            next: last.filter(|_| has_next).map(Place::After),
        }
    }
}

#[cfg(test)]
mod tests;
