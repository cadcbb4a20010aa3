//! Statistics of sources are summed up from the arrivals.

use rollcall_maintenance::jobs::source_statistics::SourceStatistics;
use rollcall_store::sources::{self, Source};
use rollcall_test_support::{TestDatabase, login, record};

use crate::support::{database, run};

const GAP_SECONDS: u32 = 3600;

async fn listed(database: &TestDatabase) -> Source {
    let mut operator = database.connect("operator").await;
    let mut list = sources::list(&mut operator).await.expect("a list");
    list.swap_remove(0)
}

async fn add_arrival(database: &TestDatabase, hours_ago: f64, events: u32) {
    let arrival = format!(
        "INSERT INTO arrivals
         VALUES (1, now() - {hours_ago} * interval '1 hour', {events}, 1, now())"
    );
    database.execute(&arrival).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn list_of_sources_is_the_same_before_and_after_the_sum() {
    let database = database().await;
    let mut writer = database.writer();
    let at = "2025-05-01T00:00:00Z";
    let first = [login(1, "1", at), login(1, "2", at)];
    record(&mut writer, &first).await.expect("recorded");
    let more = [first[0].clone(), login(1, "3", "2020-01-01T00:00:00Z")];
    record(&mut writer, &more).await.expect("recorded");
    let before = listed(&database).await;
    assert_eq!(
        (before.events, before.clock_skewed),
        (3, 1),
        "duplicates do not count"
    );
    let last_event_at = before.last_event_at.map(|at| at.to_string());
    assert_eq!(last_event_at.as_deref(), Some(at));
    let statistics = SourceStatistics::new(GAP_SECONDS);
    for _ in 0..2 {
        run(&database, &statistics).await.expect("statistics");
        let after = listed(&database).await;
        assert_eq!(format!("{after:?}"), format!("{before:?}"));
    }
    assert_eq!(database.count("arrivals").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn source_that_was_silent_for_longer_than_the_limit_has_a_gap() {
    let database = database().await;
    let statistics = SourceStatistics::new(GAP_SECONDS);
    for hours_ago in [9.0, 8.5, 5.0] {
        add_arrival(&database, hours_ago, 1).await;
    }
    run(&database, &statistics).await.expect("statistics");
    assert_eq!(listed(&database).await.gaps, 1, "between two rows of a sum");
    add_arrival(&database, 2.0, 1).await;
    run(&database, &statistics).await.expect("statistics");
    let source = listed(&database).await;
    assert_eq!(source.gaps, 2, "since the previous sum");
    assert!(source.last_gap_to > source.last_gap_from);
}

#[tokio::test(flavor = "multi_thread")]
async fn late_arrival_of_a_replayed_event_makes_no_gap() {
    let database = database().await;
    let statistics = SourceStatistics::new(GAP_SECONDS);
    add_arrival(&database, 0.0, 1).await;
    run(&database, &statistics).await.expect("statistics");
    add_arrival(&database, 9.0, 1).await;
    add_arrival(&database, 0.0, 1).await;
    run(&database, &statistics).await.expect("statistics");
    assert_eq!(listed(&database).await.gaps, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn gap_that_complete_through_covers_is_not_listed() {
    let database = database().await;
    for hours_ago in [9.0, 5.0] {
        add_arrival(&database, hours_ago, 1).await;
    }
    let statistics = SourceStatistics::new(GAP_SECONDS);
    run(&database, &statistics).await.expect("statistics");
    assert_eq!(listed(&database).await.gaps, 1);
    let complete = "UPDATE sources SET complete_through = now()";
    database.execute(complete).await;
    assert_eq!(listed(&database).await.gaps, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn backlog_larger_than_a_step_makes_no_false_gap() {
    let database = database().await;
    // The rows span 4 hours, and the latest ones come first.
    let backlog = "INSERT INTO arrivals
        SELECT 1, now() - n * interval '0.1 seconds', 1, 0, now()
        FROM generate_series(1, 144000) AS n";
    database.execute(backlog).await;
    let statistics = SourceStatistics::new(GAP_SECONDS);
    run(&database, &statistics).await.expect("statistics");
    let source = listed(&database).await;
    assert_eq!((source.events, source.gaps), (144_000, 0));
    assert_eq!(database.count("arrivals").await, 0);
}
