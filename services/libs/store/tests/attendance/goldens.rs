//! Histories in which other projects lose hours. Each test names the thread.

use jiff::civil::date;

use crate::world::{World, calendar, days, moment, text};

/// frappe/hrms #3298: a checkout after midnight is counted to the next day.
#[tokio::test(flavor = "multi_thread")]
async fn checkout_after_midnight_belongs_to_the_day_of_the_login() {
    let mut world = World::new().await;
    world
        .record(&[
            "login s1 amy 2025-01-01T22:00:00Z",
            "logout s1 amy 2025-01-02T06:00:00Z",
        ])
        .await;
    let selection = days(calendar("UTC"), date(2025, 1, 1), date(2025, 1, 2));
    let rows = world
        .rows(&selection, None, moment("2025-01-10T00:00:00Z"))
        .await;
    assert_eq!(
        rows.iter().map(text).collect::<Vec<_>>(),
        ["2025-01-01 amy 2025-01-01T22:00:00 2025-01-02T06:00:00 \
          sessions=1 worked=28800 open=0 logout"]
    );
}
