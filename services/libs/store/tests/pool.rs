//! Connection pool, tested with a real server.

use std::time::Duration;

use diesel::{QueryableByName, sql_query, sql_types::Integer};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rollcall_store::{Error, Pool};
use rollcall_test_support::TestDatabase;

#[derive(QueryableByName)]
struct Process {
    #[diesel(sql_type = Integer)]
    id: i32,
}

/// Returns the process ID of the server process that serves the connection.
async fn process(connection: &mut AsyncPgConnection) -> i32 {
    let process = sql_query("SELECT pg_backend_pid() AS id")
        .get_result::<Process>(connection)
        .await;
    process.expect("an answer").id
}

#[tokio::test(flavor = "multi_thread")]
async fn pool_reuses_the_connection_that_was_returned_last() {
    let database = TestDatabase::new().await;
    let pool = Pool::new(&database.settings("ingestion")).expect("a pool");
    let (mut one, mut other) = (
        pool.get().await.expect("one"),
        pool.get().await.expect("another"),
    );
    let (first, second) = (process(&mut one).await, process(&mut other).await);
    assert_ne!(first, second);
    drop(one);
    drop(other);
    for _ in 0..3 {
        assert_eq!(
            process(&mut pool.get().await.expect("one again")).await,
            second
        );
    }
}

async fn sleep(connection: &mut AsyncPgConnection) -> Result<(), Error> {
    let slept = sql_query("SELECT pg_sleep(60)").execute(connection).await;
    Ok(slept.map(drop)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_answer_returns_too_slow_and_missing_server_returns_unreachable() {
    let database = TestDatabase::new().await;
    let mut settings = database.settings("reporting");
    settings.connections = 1;
    let pool = Pool::new(&settings).expect("a pool");
    let slow = pool.ask(sleep).await.expect_err("no answer");
    assert!(matches!(slow, Error::TooSlow(_)), "{slow}");

    let _the_only_connection = pool.get().await.expect("a connection");
    let busy = pool.get().await.map(drop).expect_err("none is free");
    assert!(matches!(busy, Error::TooSlow(_)), "{busy}");

    settings.port = 1;
    let elsewhere = Pool::new(&settings).expect("a pool");
    let unreachable = elsewhere.get().await.map(drop).expect_err("no server");
    assert!(
        matches!(unreachable, Error::Unreachable(_)),
        "{unreachable}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pool_for_streams_has_its_own_statement_limit() {
    let database = TestDatabase::new().await;
    let limit = Duration::from_millis(300);
    let pool = Pool::for_streams(&database.settings("reporting"), 1, limit).expect("a pool");
    let mut connection = pool.get().await.expect("a connection");
    let canceled = sleep(&mut connection).await.expect_err("canceled");
    assert!(matches!(canceled, Error::TooSlow(_)), "{canceled}");
}
