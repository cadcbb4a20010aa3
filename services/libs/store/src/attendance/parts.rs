//! Divides a report into statements.

use jiff::{Span, civil::Date};

use super::{Attribution, Calendars, Grouping, Page, Position, Selection, Subject};

/// Maximum number of pairs of a day and a selected person for one statement.
const MAX_PERSON_DAYS: usize = 10_000;

/// Maximum number of rows of a page whose persons are looked up first.
const MAX_SHORT_PAGE: u32 = 1_000;

/// The days of one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) first: Date,
    pub(super) last: Date,
}

/// Statement that reads the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Statement {
    /// `persons_by_day.sql`
    PersonsByDay,
    /// `persons_by_period.sql`
    PersonsByPeriod,
    /// `rows.sql`
    Any,
}

impl Statement {
    /// Returns the fastest statement for a selection.
    pub(super) fn of(selection: &Selection) -> Self {
        let is_simple = matches!(selection.calendars, Calendars::One(_))
            && selection.subject == Subject::Person
            && selection.attribution == Attribution::Login
            && selection.employee_ids.is_empty()
            && !selection.include_absent;
        match selection.grouping {
            Grouping::Day if is_simple => Self::PersonsByDay,
            Grouping::Period if is_simple => Self::PersonsByPeriod,
            _ => Self::Any,
        }
    }
}

/// Returns the position after which a page begins and its number of rows, if these are few and each
/// person has one. The persons of such a page are looked up first, so that it does not compute the
/// rows of all persons.
pub(super) fn short_page<'a>(
    selection: &Selection,
    page: &'a Page,
) -> Option<(Option<&'a Position>, u32)> {
    let whole = Part {
        first: selection.first,
        last: selection.last,
    };
    let has_one_row = selection.grouping == Grouping::Period || whole.first == whole.last;
    let is_short = page.limit <= MAX_SHORT_PAGE && has_one_row;
    (is_short && Statement::of(selection) != Statement::Any)
        .then(|| (whole.after(Some(page)), page.limit))
}

/// Returns the parts of a report, each of which one statement reads.
///
/// Rows of a period need one statement. Rows of days have one statement for each day, so that the
/// first row arrives early and the database sorts little. A selection of few persons has one
/// statement for many days, because planning a statement takes longer than executing it then.
pub(super) fn parts(
    selection: &Selection,
    person_ids: Option<&[i32]>,
    page: Option<&Page>,
) -> Vec<Part> {
    let (first, last) = (selection.first, selection.last);
    if person_ids.is_some_and(<[i32]>::is_empty) {
        return Vec::new();
    }
    if selection.grouping == Grouping::Period {
        return vec![Part { first, last }];
    }
    let after = page.and_then(|page| page.after.as_ref()?.date);
    let first = after.map_or(first, |after| first.max(after));
    let days = person_ids.map_or(1, |ids| (MAX_PERSON_DAYS / ids.len()).clamp(1, 366));
    let to_last = i32::try_from(days - 1).unwrap_or(0);
    first
        .series(Span::new().days(1))
        .step_by(days)
        .take_while(|date| *date <= last)
        .map(|date| Part {
            first: date,
            last: last.min(date.saturating_add(Span::new().days(to_last))),
        })
        .collect()
}

impl Part {
    /// Returns the position after which the rows of a page begin, unless all rows of this part come
    /// after it.
    pub(super) fn after(self, page: Option<&Page>) -> Option<&Position> {
        let after = page?.after.as_ref()?;
        let is_before = after.date.is_some_and(|date| date < self.first);
        (!is_before).then_some(after)
    }
}
