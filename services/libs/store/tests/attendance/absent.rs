//! Rows of absent employees.

use jiff::civil::date;
use rollcall_store::attendance::{Grouping, Selection};

use crate::world::{World, calendar, days, moment, text};

/// Returns the rows at noon of 2 January, with those of absent employees.
async fn rows_of(world: &World, grouping: Grouping) -> Vec<String> {
    let selection = Selection {
        grouping,
        include_absent: true,
        ..days(calendar("UTC"), date(2025, 1, 1), date(2025, 1, 3))
    };
    let rows = world.rows(&selection, None, moment("2025-01-02T12:00:00Z"));
    rows.await.iter().map(text).collect()
}

const EVENTS: [&str; 3] = [
    "login s1 amy 2025-01-01T08:00:00Z",
    "logout s1 amy 2025-01-01T12:00:00Z",
    "logout s2 amy2 2025-01-01T12:00:00Z",
];

const WORKED: &str =
    "2025-01-01T08:00:00 2025-01-01T12:00:00 sessions=1 worked=14400 open=0 logout";

#[tokio::test(flavor = "multi_thread")]
async fn employee_with_two_persons_is_absent_only_on_days_without_any_session() {
    let mut world = World::new().await;
    world.record(&EVENTS).await;
    world.map("amy", "E-2").await;
    world.map("amy2", "E-2").await;
    assert_eq!(
        rows_of(&world, Grouping::Day).await,
        [
            &*format!("2025-01-01 amy {WORKED}"),
            "2025-01-02 amy - - sessions=0 worked=0 open=0 -",
            "2025-01-02 amy2 - - sessions=0 worked=0 open=0 -",
        ]
    );
    let period = rows_of(&world, Grouping::Period).await;
    assert_eq!(period, [format!("period amy {WORKED}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_absent_on_a_day_that_has_not_begun() {
    let mut world = World::new().await;
    world.record(&EVENTS).await;
    world.map("amy", "E-2").await;
    world
        .database
        .execute("UPDATE employee_mappings SET valid_from = '2025-01-03'")
        .await;
    for (grouping, row) in [(Grouping::Day, "2025-01-01"), (Grouping::Period, "period")] {
        assert_eq!(
            rows_of(&world, grouping).await,
            [format!("{row} amy {WORKED}")]
        );
    }
    world.map("amy2", "E-3").await;
    assert_eq!(
        rows_of(&world, Grouping::Day).await,
        [
            &*format!("2025-01-01 amy {WORKED}"),
            "2025-01-01 amy2 - - sessions=0 worked=0 open=0 -",
            "2025-01-02 amy2 - - sessions=0 worked=0 open=0 -",
        ]
    );
}
