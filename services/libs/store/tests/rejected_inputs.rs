//! Counts of rejected input.

use diesel_async::AsyncPgConnection;
use rollcall_store::rejected_inputs::{self, MAX_REASONS, RejectedInput};
use rollcall_test_support::TestDatabase;

fn input(source_id: i32, reason: &str, count: i64, sample: &str) -> RejectedInput {
    RejectedInput {
        source_id,
        receiver: "syslog",
        reason: reason.into(),
        count,
        sample: sample.into(),
    }
}

async fn add(connection: &mut AsyncPgConnection, inputs: &[RejectedInput]) {
    let added = rejected_inputs::add(connection, inputs).await;
    added.expect("added");
}

const ROWS: &str = "SELECT source_id || ' ' || reason || ' ' || count || ' ' || sample AS text
    FROM rejected_inputs ORDER BY 1";

#[tokio::test(flavor = "multi_thread")]
async fn further_input_adds_to_the_count_and_replaces_the_sample() {
    let database = TestDatabase::new().await;
    let mut ingestion = database.connect("ingestion").await;
    add(
        &mut ingestion,
        &[input(1, "a", 2, "x"), input(2, "a", 1, "y")],
    )
    .await;
    add(
        &mut ingestion,
        &[input(1, "a", 3, "z"), input(1, "b", 1, "")],
    )
    .await;
    assert_eq!(database.texts(ROWS).await, ["1 a 5 z", "1 b 1 ", "2 a 1 y"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn further_input_changes_the_time_of_the_latest_alone() {
    let database = TestDatabase::new().await;
    let mut ingestion = database.connect("ingestion").await;
    add(&mut ingestion, &[input(1, "a", 1, "")]).await;
    add(&mut ingestion, &[input(1, "a", 1, "")]).await;
    let is_later = "SELECT (last_at > first_at)::text AS text FROM rejected_inputs";
    assert_eq!(database.texts(is_later).await, ["true"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn reasons_beyond_the_limit_of_a_source_are_summed_up() {
    let database = TestDatabase::new().await;
    let mut ingestion = database.connect("ingestion").await;
    let max_reasons = usize::from(MAX_REASONS);
    let reasons: Vec<_> = (0..max_reasons + 5)
        .map(|number| input(1, &format!("reason {number:03}"), 1, ""))
        .collect();
    add(&mut ingestion, &reasons[..max_reasons - 1]).await;
    add(&mut ingestion, &reasons).await;
    add(
        &mut ingestion,
        &[input(1, "one more", 1, ""), input(2, "first", 1, "")],
    )
    .await;
    assert_eq!(database.count("rejected_inputs").await, max_reasons + 2);
    let others = "SELECT count::text AS text FROM rejected_inputs WHERE reason = 'other reasons'";
    assert_eq!(database.texts(others).await, ["6"]);
    let known = "SELECT DISTINCT count::text AS text FROM rejected_inputs
        WHERE reason < 'reason 049' AND reason >= 'reason'";
    assert_eq!(
        database.texts(known).await,
        ["2"],
        "known reasons still count"
    );
}
