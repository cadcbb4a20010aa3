//! Limits of streams and of request rates. One API client must not keep others from their reports.

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use reqwest::Response;
use rollcall_platform::settings::Settings;
use rollcall_test_support::{Rollcall, snapshot};
use serde_json::{Value, json};

const READ: &str = "reporting:read";

fn filters(user: &str) -> Value {
    json!({
        "StartDate": "2025-01-01", "EndDate": "2025-01-31", "UserName": user,
        "StartOfDay": "00:00:00", "RequestDate": "2025-02-01",
    })
}

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("not zero")
}

/// Starts the services with 150,000 users, whose names are long. A report on all of them is larger
/// than all buffers between the database, the proxy of Docker and a client that does not read.
async fn with_many_users(change: impl FnOnce(&mut Settings)) -> Rollcall {
    let rollcall = Rollcall::builder().await.set(change).start();
    rollcall.source().await;
    rollcall
        .database
        .add_sessions(150_000, "repeat('user', 50) || n", "'Default'")
        .await;
    rollcall
}

/// Allows three streams, of which one client may run two.
fn three_streams(settings: &mut Settings) {
    settings.reporting.streams = number(3);
    settings.reporting.stream_wait_seconds = 0;
    settings.database.connections = 1;
}

/// Starts three streams of two clients that do not read them.
async fn use_all_streams(rollcall: &Rollcall) -> [Response; 3] {
    let (first, second) = (rollcall.token(READ).await, rollcall.token(READ).await);
    [
        start(rollcall, &first).await,
        start(rollcall, &first).await,
        start(rollcall, &second).await,
    ]
}

/// Requests a report and reads its first bytes.
async fn start(rollcall: &Rollcall, token: &str) -> Response {
    let mut answer = rollcall.report(token, &filters("All Users")).await;
    assert_eq!(answer.status(), 200);
    assert!(answer.chunk().await.expect("a beginning").is_some());
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_beyond_the_limit_of_its_client_gets_429() {
    let rollcall = with_many_users(three_streams).await;
    let client = rollcall.token(READ).await;
    let _stalled = [
        start(&rollcall, &client).await,
        start(&rollcall, &client).await,
    ];
    let rejected = rollcall.report(&client, &filters("All Users")).await;
    insta::assert_snapshot!(snapshot::of(rejected).await, @r#"
    429 Too Many Requests
    cache-control: no-store
    content-type: application/json
    retry-after: 10
    {
      "statusCode": 429,
      "statusMessage": "This API client has 2 large reports running already. Wait as Retry-After says, then repeat the call.",
      "responseDate": "[responseDate]",
      "data": []
    }
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_beyond_the_total_limit_gets_503() {
    let rollcall = with_many_users(three_streams).await;
    let _stalled = use_all_streams(&rollcall).await;
    let other = rollcall.token(READ).await;
    let rejected = rollcall.report(&other, &filters("All Users")).await;
    insta::assert_snapshot!(snapshot::of(rejected).await, @r#"
    503 Service Unavailable
    cache-control: no-store
    content-type: application/json
    retry-after: 10
    {
      "statusCode": 503,
      "statusMessage": "There are 3 large reports running already. Wait as Retry-After says, then repeat the call.",
      "responseDate": "[responseDate]",
      "data": []
    }
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn short_report_and_health_check_succeed_while_all_streams_are_in_use() {
    let rollcall = with_many_users(three_streams).await;
    let _stalled = use_all_streams(&rollcall).await;
    let short = rollcall
        .report(&rollcall.token(READ).await, &filters("user7"))
        .await;
    assert_eq!(short.status(), 200);
    let health = format!("http://{}/health/ready", rollcall.internal[2]);
    let health = rollcall.http.get(health).send().await.expect("a response");
    assert_eq!(health.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnected_client_releases_its_permit() {
    let rollcall = with_many_users(three_streams).await;
    let stalled = use_all_streams(&rollcall).await;
    let client = rollcall.token(READ).await;
    let status = async || {
        rollcall
            .report(&client, &filters("All Users"))
            .await
            .status()
    };
    assert_eq!(status().await, 503);
    drop(stalled);
    let started = Instant::now();
    while status().await != 200 {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "no permit was released"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_stream_starts_when_another_ends() {
    let rollcall = with_many_users(|settings| {
        settings.reporting.streams = number(1);
        settings.reporting.stream_wait_seconds = 60;
    })
    .await;
    let token = rollcall.token(READ).await;
    let first = start(&rollcall, &token).await;
    let (second, ()) = tokio::join!(start(&rollcall, &token), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        drop(first);
    });
    let rest = second.bytes().await.expect("the rest");
    assert!(rest.ends_with(b"]}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_beyond_the_waiting_limit_gets_429_at_once() {
    let rollcall = with_many_users(|settings| {
        settings.reporting.streams_per_client = number(1);
        settings.reporting.stream_wait_seconds = 3;
    })
    .await;
    let token = rollcall.token(READ).await;
    let _stalled = start(&rollcall, &token).await;
    let started = Instant::now();
    let asked = (0..4).map(|_| async {
        let answer = rollcall.report(&token, &filters("All Users")).await;
        (answer.status().as_u16(), started.elapsed())
    });
    let answers = futures::future::join_all(asked).await;
    assert!(
        answers.iter().all(|(status, _)| *status == 429),
        "{answers:?}"
    );
    let at_once = answers
        .iter()
        .filter(|(_, after)| *after < Duration::from_secs(2));
    assert_eq!(at_once.count(), 1, "three wait: {answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_that_is_read_too_slowly_is_cut_off() {
    assert_cut_off(|settings| settings.reporting.stream_behind_seconds = 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_beyond_its_maximum_duration_is_cut_off() {
    assert_cut_off(|settings| settings.reporting.stream_seconds = 8).await;
}

/// Checks that the service ends a stalled stream under the settings that `limit` makes, and that
/// the client recognizes the report as incomplete.
async fn assert_cut_off(limit: fn(&mut Settings)) {
    let rollcall = with_many_users(|settings| {
        settings.reporting.streams = number(1);
        settings.reporting.stream_wait_seconds = 60;
        limit(settings);
    })
    .await;
    let token = rollcall.token(READ).await;
    let stalled = start(&rollcall, &token).await;
    let backends = "SELECT count(*)::text AS text FROM pg_stat_activity
        WHERE datname = current_database() AND usename = 'reporting' AND state = 'active'";
    assert_eq!(rollcall.database.texts(backends).await, ["1"]);
    // The second stream gets the only permit although the first client is still connected.
    let second = start(&rollcall, &token).await;
    drop(second);
    let rest = stalled.bytes().await;
    assert!(rest.is_err(), "{} bytes", rest.map_or(0, |rest| rest.len()));
}

#[tokio::test(flavor = "multi_thread")]
async fn report_on_one_user_in_1500_realms_is_complete() {
    let rollcall = Rollcall::start().await;
    rollcall.source().await;
    rollcall
        .database
        .add_sessions(1_500, "'User'", "'R' || n")
        .await;
    let token = rollcall.token(READ).await;
    let answer = rollcall.report(&token, &filters("user")).await;
    let answer: Value = answer.json().await.expect("JSON");
    assert_eq!(answer["data"].as_array().map(Vec::len), Some(1500));
}

#[tokio::test(flavor = "multi_thread")]
async fn client_over_its_rate_gets_429_and_others_get_200() {
    let rollcall = Rollcall::builder()
        .await
        .set(|settings| {
            settings.reporting.requests_per_second = number(1);
            settings.reporting.requests_burst = number(3);
        })
        .start();
    let (often, seldom) = (rollcall.token(READ).await, rollcall.token(READ).await);
    let mut rejected = None;
    for _ in 0..1_000 {
        let answer = rollcall.report(&often, &filters("one")).await;
        assert_eq!(answer.headers()["ratelimit-policy"], r#""client";q=3;w=3"#);
        if answer.status() != 200 {
            rejected = Some(answer);
            break;
        }
    }
    let rejected = rejected.expect("a rejected request");
    assert_eq!(rejected.headers()["ratelimit"], r#""client";r=0;t=1"#);
    insta::assert_snapshot!(snapshot::of(rejected).await, @r#"
    429 Too Many Requests
    cache-control: no-store
    content-type: application/json
    retry-after: 1
    {
      "statusCode": 429,
      "statusMessage": "The API client sends too many requests: 3 are allowed in 3 s. Wait as Retry-After says, then repeat the call.",
      "responseDate": "[responseDate]",
      "data": []
    }
    "#);
    let other = rollcall.report(&seldom, &filters("one")).await;
    assert_eq!(other.status(), 200);
    assert_eq!(other.headers()["ratelimit"], r#""client";r=2;t=1"#);
}
