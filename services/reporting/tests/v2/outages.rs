//! A response that breaks off can never be taken for whole.

use rollcall_test_support::{Proxy, Rollcall, snapshot};

use crate::support::{READ, get};

const REPORT: &str = "/api/v2/attendance?start_date=2025-01-01&end_date=2025-01-31";

/// Starts the services on a PostgreSQL that a test can cut off, with more rows than all buffers
/// between the database and the client hold.
async fn with_many_users(postgres: &Proxy) -> (Rollcall, String) {
    let rollcall = Rollcall::builder().await.postgres(postgres.address).start();
    rollcall.source().await;
    rollcall
        .database
        .add_sessions(150_000, "repeat('user', 50) || n", "'Default'")
        .await;
    let token = rollcall.token(READ).await;
    (rollcall, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn file_cut_off_by_an_outage_is_recognized_as_broken() {
    let postgres = Proxy::new(rollcall_test_support::postgres()).await;
    let (rollcall, token) = with_many_users(&postgres).await;
    for format in ["csv", "ndjson", "parquet"] {
        for encoding in ["identity", "gzip"] {
            let url = format!("http://{}{REPORT}&format={format}", rollcall.reporting);
            let request = rollcall.http.get(url).bearer_auth(&token);
            let request = request.header("accept-encoding", encoding);
            let mut answer = request.send().await.expect("a response");
            assert_eq!(answer.status(), 200);
            assert!(answer.chunk().await.expect("a beginning").is_some());
            postgres.cut();
            let rest = answer.bytes().await;
            assert!(
                rest.is_err(),
                "{format} {encoding}: {:?}",
                rest.map(|rest| rest.len())
            );
            postgres.restore();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn workbook_cut_off_by_an_outage_gets_503() {
    let postgres = Proxy::new(rollcall_test_support::postgres()).await;
    let (rollcall, token) = with_many_users(&postgres).await;
    let path = format!("{REPORT}&format=xlsx");
    let cut = async {
        // The rows take seconds to arrive. An earlier cut gives the same response.
        tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
        postgres.cut();
    };
    let (answer, ()) = tokio::join!(get(&rollcall, &token, &path), cut);
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
}

#[tokio::test(flavor = "multi_thread")]
async fn unreachable_database_gets_503_for_pages_and_files() {
    let postgres = Proxy::new(rollcall_test_support::postgres()).await;
    let rollcall = Rollcall::builder().await.postgres(postgres.address).start();
    let token = rollcall.token(READ).await;
    postgres.cut();
    let page = snapshot::of(get(&rollcall, &token, REPORT).await).await;
    let file = snapshot::of(get(&rollcall, &token, &format!("{REPORT}&format=csv")).await).await;
    assert_eq!(page, file);
    insta::assert_snapshot!(page);
}

/// Allows one stream.
fn one_stream(settings: &mut rollcall_platform::settings::Settings) {
    settings.reporting.streams = std::num::NonZeroU32::MIN;
    settings.reporting.stream_wait_seconds = 0;
}

#[tokio::test(flavor = "multi_thread")]
async fn page_of_all_persons_needs_a_permit_and_a_page_of_one_does_not() {
    let rollcall = Rollcall::builder().await.set(one_stream).start();
    rollcall.source().await;
    rollcall
        .database
        .add_sessions(150_000, "repeat('user', 50) || n", "'Default'")
        .await;
    let (first, second) = (rollcall.token(READ).await, rollcall.token(READ).await);
    let mut stalled = get(&rollcall, &first, &format!("{REPORT}&format=csv")).await;
    assert!(stalled.chunk().await.expect("a beginning").is_some());
    insta::assert_snapshot!(snapshot::of(get(&rollcall, &second, REPORT).await).await);
    let one = get(&rollcall, &second, &format!("{REPORT}&user=user")).await;
    assert_eq!(one.status(), 200);
}
