use std::{convert::Infallible, task::Poll};

use futures::{executor::block_on, stream};
use jiff::{SignedDuration, Timestamp, civil::date, tz::TimeZone};
use proptest::prelude::*;
use rollcall_attendance::row::Status;

use super::*;
use crate::attendance::order::Sort;

fn row(number: usize, worked_seconds: i64, first_login: Option<i64>) -> AttendanceRow {
    let at = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
    AttendanceRow {
        date: Some(date(2025, 1, 1)),
        days: None,
        user: format!("user_{number:04}"),
        realm: "Default".into(),
        employee_id: None,
        first_login_at: first_login.map(at),
        last_logout_at: None,
        sessions: 1,
        worked_seconds,
        active_seconds: None,
        open_sessions: 0,
        end_reason: None,
        continues: None,
        status: Status::Final,
        time_zone: TimeZone::UTC,
    }
}

fn page_of(rows: &[AttendanceRow], order: Order, place: Place) -> Page {
    let rows = stream::iter(rows.iter().cloned().map(Ok::<_, Infallible>));
    let page = block_on(choose(rows, order, place, |row| row.worked_seconds != 7));
    page.unwrap_or_else(|error| match error {})
}

/// Returns the pages from the first to the last.
fn forward(rows: &[AttendanceRow], order: Order) -> Vec<Page> {
    let mut pages = vec![page_of(rows, order, Place::Start)];
    while let Some(next) = pages.last().and_then(|page| page.next.clone()) {
        pages.push(page_of(rows, order, next));
    }
    pages
}

fn orders() -> impl Strategy<Value = Order> {
    let sorts = Sort::ALL.map(|(_, sort)| sort).to_vec();
    (prop::sample::select(sorts), any::<bool>())
        .prop_map(|(sort, descending)| Order { sort, descending })
}

proptest! {
    #[test]
    fn pages_have_each_row_once_in_order_and_lead_back(
        values in prop::collection::vec((0_i64..20, prop::option::of(0_i64..20)), 0..350),
        order in orders(),
    ) {
        let rows: Vec<_> = values
            .iter()
            .enumerate()
            .map(|(number, (worked, first))| row(number, *worked, *first))
            .collect();
        let pages = forward(&rows, order);
        let shown: Vec<_> = pages.iter().flat_map(|page| page.rows.clone()).collect();
        let mut expected: Vec<_> =
            rows.iter().filter(|row| row.worked_seconds != 7).cloned().collect();
        expected.sort_by_key(|row| order.key(row));
        prop_assert_eq!(shown, expected);
        prop_assert!(pages.iter().all(|page| page.rows.len() <= ROWS));
        for neighbours in pages.windows(2) {
            let previous = neighbours[1].previous.clone().expect("a page before");
            prop_assert_eq!(&page_of(&rows, order, previous).rows, &neighbours[0].rows);
        }
    }
}

#[test]
fn rows_without_a_value_come_last_in_both_directions() {
    let rows = [row(1, 0, None), row(2, 0, Some(5)), row(3, 0, Some(9))];
    for (descending, users) in [(false, ["2", "3", "1"]), (true, ["3", "2", "1"])] {
        let order = Order {
            sort: Sort::FirstLogin,
            descending,
        };
        let page = page_of(&rows, order, Place::Start);
        let shown = page
            .rows
            .iter()
            .map(|row| row.user.trim_start_matches("user_000"));
        assert_eq!(shown.collect::<Vec<_>>(), users);
    }
}

#[test]
fn rows_of_the_page_are_read_to_their_end_and_at_most_one_more() {
    let order = Order {
        sort: Sort::Name,
        descending: false,
    };
    // The last row shows that there is a page behind this one.
    for (count, read_to_end) in [(ROWS + 1, true), (ROWS + 3, false)] {
        let mut rows = (0..count).map(|number| {
            assert!(number <= ROWS + 1, "row {number} is not needed");
            Ok::<_, Infallible>(row(number, 0, None))
        });
        let mut is_at_end = false;
        let stream = stream::poll_fn(|_| {
            let next = rows.next();
            is_at_end = next.is_none();
            Poll::Ready(next)
        });
        let page = block_on(choose(stream, order, Place::Start, |_| true));
        assert_eq!(page.map(|page| page.rows.len()), Ok(ROWS));
        assert_eq!(is_at_end, read_to_end, "{count} rows");
    }
}
