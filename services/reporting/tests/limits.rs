//! Limits of one API client, so that other clients still get their reports.

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
    json!({"StartDate": "2025-01-01", "EndDate": "2025-01-31", "UserName": user, "StartOfDay": "00:00:00", "RequestDate": "2025-02-01"})
}

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("not zero")
}

/// A report on all users is larger than all buffers between the database and a client that does not
/// read.
async fn with_many_users(change: impl FnOnce(&mut Settings)) -> Rollcall {
    let rollcall = Rollcall::builder().await.set(change).start();
    rollcall.source().await;
    rollcall
        .database
        .add_sessions(150_000, "'User' || n", "'Default'")
        .await;
    rollcall
}

/// Requests a report and reads its first bytes.
async fn start(rollcall: &Rollcall, token: &str) -> Response {
    let mut answer = rollcall.report(token, &filters("All Users")).await;
    assert_eq!(answer.status(), 200);
    assert!(answer.chunk().await.expect("a beginning").is_some());
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_limited_and_short_reports_and_health_do_not_wait_for_them() {
    let rollcall = with_many_users(|settings| {
        settings.reporting.streams = number(3);
        settings.reporting.stream_wait_seconds = 0;
        settings.database.connections = 1;
    })
    .await;
    let (greedy, other, third) = (
        rollcall.token(READ).await,
        rollcall.token(READ).await,
        rollcall.token(READ).await,
    );
    let stalled = [
        start(&rollcall, &greedy).await,
        start(&rollcall, &greedy).await,
    ];
    let refused = rollcall.report(&greedy, &filters("All Users")).await;
    let client_limit = snapshot::of(refused).await;
    let _stalled = start(&rollcall, &other).await;
    let refused = rollcall.report(&third, &filters("All Users")).await;
    let total_limit = snapshot::of(refused).await;
    insta::assert_snapshot!(format!("client\n{client_limit}\n\ntotal\n{total_limit}"));

    for token in [&greedy, &other, &third] {
        let short = rollcall.report(token, &filters("user7")).await;
        assert_eq!(short.status(), 200);
    }
    let health = format!("http://{}/health/ready", rollcall.internal[2]);
    let health = rollcall.http.get(health).send().await.expect("an answer");
    assert_eq!(health.status(), 200);

    drop(stalled);
    let started = Instant::now();
    while rollcall
        .report(&greedy, &filters("All Users"))
        .await
        .status()
        != 200
    {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "no permit returns"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_stream_starts_when_another_ends() {
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
async fn a_client_may_have_few_streams_waiting() {
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
async fn a_stream_that_is_read_too_slowly_or_lasts_too_long_is_cut_and_never_looks_whole() {
    let cuts: [fn(&mut Settings); 2] = [
        |settings| settings.reporting.stream_behind_seconds = 3,
        |settings| settings.reporting.stream_seconds = 8,
    ];
    for cut in cuts {
        let rollcall = with_many_users(|settings| {
            settings.reporting.streams = number(1);
            settings.reporting.stream_wait_seconds = 60;
            cut(settings);
        })
        .await;
        let token = rollcall.token(READ).await;
        let stalled = start(&rollcall, &token).await;
        let backends = "SELECT count(*)::text AS text FROM pg_stat_activity
            WHERE datname = current_database() AND usename = 'reporting' AND state = 'active'";
        assert_eq!(rollcall.database.texts(backends).await, ["1"]);
        // It gets the only permit although the first client is still connected.
        let second = start(&rollcall, &token).await;
        drop(second);
        let rest = stalled.bytes().await;
        assert!(rest.is_err(), "{} bytes", rest.map_or(0, |rest| rest.len()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_name_in_very_many_realms_is_streamed() {
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
async fn a_client_that_calls_too_often_gets_429_and_another_does_not() {
    let rollcall = Rollcall::builder()
        .await
        .set(|settings| {
            settings.reporting.requests_per_second = number(1);
            settings.reporting.requests_burst = number(3);
        })
        .start();
    let (often, seldom) = (rollcall.token(READ).await, rollcall.token(READ).await);
    let mut refused = None;
    for _ in 0..1_000 {
        let answer = rollcall.report(&often, &filters("one")).await;
        assert_eq!(answer.headers()["ratelimit-policy"], r#""client";q=3;w=3"#);
        if answer.status() != 200 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("a limit");
    assert_eq!(refused.headers()["ratelimit"], r#""client";r=0;t=1"#);
    insta::assert_snapshot!(snapshot::of(refused).await);
    let other = rollcall.report(&seldom, &filters("one")).await;
    assert_eq!(other.status(), 200);
    assert_eq!(other.headers()["ratelimit"], r#""client";r=2;t=1"#);
}
