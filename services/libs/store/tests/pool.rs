//! The pool, against the real server.

use diesel::{QueryableByName, sql_query, sql_types::Integer};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rollcall_store::Pool;
use rollcall_test_support::TestDatabase;

#[derive(QueryableByName)]
struct Process {
    #[diesel(sql_type = Integer)]
    id: i32,
}

/// The server's process that the connection speaks to.
async fn process(connection: &mut AsyncPgConnection) -> i32 {
    let process = sql_query("SELECT pg_backend_pid() AS id")
        .get_result::<Process>(connection)
        .await;
    process.expect("an answer").id
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_again_and_again_asks_one_process() {
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
