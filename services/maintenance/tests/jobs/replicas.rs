//! Several replicas, and jobs that fail.

use futures::future::join_all;
use rollcall_maintenance::jobs::{
    Outcome, partitions::Partitions, retention::Retention, source_statistics::SourceStatistics,
};
use rollcall_store::advisory_lock;

use crate::support::{
    add_events, database, days_to_fourth_past_month, eventually, past_month, run, set_limit, start,
};

#[tokio::test(flavor = "multi_thread")]
async fn job_is_not_run_while_another_replica_runs_it() {
    let database = database().await;
    let arrival = "INSERT INTO arrivals VALUES (1, now(), 1, 0, now())";
    database.execute(arrival).await;
    let statistics = SourceStatistics::new(3600);
    let mut other = database.connect("maintenance").await;
    let acquired = advisory_lock::try_acquire(&mut other, "source statistics").await;
    assert_eq!(acquired, Ok(true));
    assert!(matches!(
        run(&database, &statistics).await,
        Ok(Outcome::Busy)
    ));
    assert_eq!(database.count("arrivals").await, 1);
    assert!(
        matches!(run(&database, &Partitions).await, Ok(Outcome::Done)),
        "another job is not blocked"
    );
    drop(other);
    eventually(
        &database,
        "SELECT count(*)::text AS text FROM pg_locks WHERE locktype = 'advisory'
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        "0",
    )
    .await;
    assert!(matches!(
        run(&database, &statistics).await,
        Ok(Outcome::Done)
    ));
    assert_eq!(database.count("arrivals").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_at_once_do_the_work_exactly_once() {
    let database = database().await;
    past_month(&database, "events", 4).await;
    let days = days_to_fourth_past_month(&database).await;
    add_events(&database, "old", 20_000, days).await;
    set_limit(&database, "events", 40).await;
    let arrivals =
        "INSERT INTO arrivals SELECT 1, now(), 1, 0, now() FROM generate_series(1, 1000)";
    database.execute(arrivals).await;
    let services = [start(&database), start(&database), start(&database)];
    let left = "SELECT count(*)::text AS text FROM event_ids";
    eventually(&database, left, "0").await;
    let summed = "SELECT events::text AS text FROM sources";
    eventually(&database, summed, "1000").await;
    join_all((0..3).map(|_| run(&database, &Retention))).await;
    drop(services);
    let removed = "SELECT sum((detail->>'events')::integer)::text AS text FROM audit_log";
    assert_eq!(database.texts(removed).await, ["20000"]);
    assert_eq!(database.texts(summed).await, ["1000"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn job_that_fails_does_not_stop_the_others() {
    let database = database().await;
    let broken = "DROP VIEW retention_cutoffs CASCADE";
    database.execute(broken).await;
    assert!(run(&database, &Retention).await.is_err());
    let count = "SELECT count(*)::text AS text FROM pg_inherits";
    let before = database.texts(count).await.concat();
    let last = "SELECT max(relname)::text AS text FROM pg_class
        WHERE relnamespace = 'partitions'::regnamespace AND relname LIKE 'events%' AND relkind = 'r'";
    let last = database.texts(last).await.concat();
    let drop_table = format!("DROP TABLE partitions.{last}");
    database.execute(&drop_table).await;
    let arrival = "INSERT INTO arrivals VALUES (1, now(), 1, 0, now())";
    database.execute(arrival).await;
    let _service = start(&database);
    eventually(&database, "SELECT events::text AS text FROM sources", "1").await;
    eventually(&database, count, &before).await;
}
