//! Partitions are created in advance.

use rollcall_maintenance::jobs::{Outcome, partitions::Partitions};
use rollcall_store::{events::Outcome as Recorded, failure::Failure};
use rollcall_test_support::{TestDatabase, record};

use crate::support::{database, partitions, run, start};

#[tokio::test(flavor = "multi_thread")]
async fn migrations_create_partitions_of_this_month_and_the_next_three() {
    let database = database().await;
    for table in ["events", "audit_log"] {
        let created = partitions(&database, table).await;
        assert_eq!(created.len(), 4, "{created:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn existing_partitions_are_not_changed() {
    let database = database().await;
    let before = partitions(&database, "events").await;
    assert!(matches!(
        run(&database, &Partitions).await,
        Ok(Outcome::Done)
    ));
    assert_eq!(partitions(&database, "events").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_partitions_are_created_by_the_running_service() {
    let database = database().await;
    let mut expected = Vec::new();
    for table in ["events", "audit_log"] {
        let names = partitions(&database, table).await;
        let last = names.last().expect("a partition");
        database
            .execute(&format!("DROP TABLE partitions.{last}"))
            .await;
        expected.push(names);
    }
    let _service = start(&database);
    let count = "SELECT count(*)::text AS text FROM pg_inherits
        WHERE inhparent IN ('events'::regclass, 'audit_log'::regclass)";
    crate::support::eventually(&database, count, "8").await;
    assert_eq!(partitions(&database, "events").await, expected[0]);
    assert_eq!(partitions(&database, "audit_log").await, expected[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn event_is_not_rejected_while_its_partition_is_missing() {
    let database = database().await;
    for name in partitions(&database, "events").await {
        database
            .execute(&format!("DROP TABLE partitions.{name}"))
            .await;
    }
    let result = record_one(&database).await;
    assert!(matches!(result, Err(Failure::Unavailable(_))), "{result:?}");
    run(&database, &Partitions).await.expect("partitions");
    assert_eq!(record_one(&database).await, Ok(vec![Recorded::Accepted]));
}

async fn record_one(database: &TestDatabase) -> Result<Vec<Recorded>, Failure> {
    let event = rollcall_test_support::login(1, "e", "2025-01-01T00:00:00Z");
    record(&mut database.writer(), &[event]).await
}
