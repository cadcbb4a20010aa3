//! What a report says while something that it needs is away, and that it comes back by itself.

use rollcall_test_support::{Proxy, Rollcall, snapshot};
use serde_json::{Value, json};
use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

fn filters() -> Value {
    json!({"StartDate": "2025-01-01", "EndDate": "2025-01-31", "UserName": "All Users", "StartOfDay": "00:00:00", "RequestDate": "2025-02-01"})
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_away_or_silent_is_503_soon_and_passes() {
    let redis = Proxy::new(rollcall_test_support::redis()).await;
    let rollcall = Rollcall::builder().await.redis(redis.address).start();
    let token = rollcall.token("reporting:read").await;
    for outage in [Proxy::cut, Proxy::silence] {
        outage(&redis);
        let started = Instant::now();
        let answer = rollcall.report(&token, &filters()).await;
        // Not a measure of speed: the bound on waiting for Redis holds, with ample room.
        assert!(started.elapsed() < Duration::from_secs(5));
        let answer = snapshot::of(answer).await;
        insta::allow_duplicates! { insta::assert_snapshot!(answer); }
        redis.restore();
        while rollcall.report(&token, &filters()).await.status() != 200 {
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "it does not recover"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_away_or_silent_is_503_that_says_which_and_passes() {
    let postgres = Proxy::new(rollcall_test_support::postgres()).await;
    let rollcall = Rollcall::builder()
        .await
        .postgres(postgres.address)
        .set(|settings| settings.database.wait_milliseconds = 500)
        .start();
    let token = rollcall.token("reporting:read").await;
    let mut answers = Vec::new();
    for outage in [Proxy::cut, Proxy::silence] {
        assert_eq!(rollcall.report(&token, &filters()).await.status(), 200);
        outage(&postgres);
        answers.push(snapshot::of(rollcall.report(&token, &filters()).await).await);
        postgres.restore();
        let started = Instant::now();
        while rollcall.report(&token, &filters()).await.status() != 200 {
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "it does not recover"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    insta::assert_snapshot!(answers.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn known_keys_go_on_verifying_while_auth_is_away_and_unknown_ones_fail_closed() {
    let nowhere = "http://127.0.0.1:1/jwks.json".to_owned();
    let rollcall = Rollcall::start().await;
    let token = rollcall.token("reporting:read").await;
    let mut settings = rollcall.settings.clone();
    settings.database = rollcall.database.settings("reporting");
    settings.token.jwks_url = nowhere;
    let alone =
        rollcall_reporting::startup::build(&settings, rollcall.clock.clone()).expect("reporting");
    let url = format!(
        "http://{}/api/v1/reporting/sessions",
        alone.address.expect("an address")
    );
    let internal = alone.internal_address;
    tokio::spawn(alone.run());
    let answer = rollcall
        .http
        .post(url)
        .bearer_auth(&token)
        .json(&json!({"Filters": filters()}))
        .send()
        .await
        .expect("an answer");
    let ready = rollcall
        .http
        .get(format!("http://{internal}/health/ready"))
        .send()
        .await
        .expect("an answer");
    insta::assert_snapshot!(format!(
        "report\n{}\n\nready\n{}",
        snapshot::of(answer).await,
        snapshot::of(ready).await
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_metrics_are_on_the_internal_port_alone() {
    let rollcall = Rollcall::start().await;
    let get = async |address, path| {
        rollcall
            .http
            .get(format!("http://{address}{path}"))
            .send()
            .await
            .expect("an answer")
    };
    for (internal, api) in
        rollcall
            .internal
            .into_iter()
            .zip([rollcall.auth, rollcall.ingestion, rollcall.reporting])
    {
        for path in ["/health/live", "/health/ready", "/metrics"] {
            assert_eq!(get(internal, path).await.status(), 200, "{path}");
            assert_eq!(get(api, path).await.status(), 404, "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_nobody_reads_on_gives_its_connection_up() {
    let one = NonZeroU32::MIN;
    let rollcall = Rollcall::builder()
        .await
        .set(|settings| settings.reporting.streams = one)
        .start();
    let token = rollcall.token("reporting:read").await;
    rollcall.source().await;
    rollcall
        .database
        .add_sessions(300_000, "'User' || n", "'Default'")
        .await;
    let mut answer = rollcall.report(&token, &filters()).await;
    assert!(
        answer
            .chunk()
            .await
            .expect("a beginning")
            .is_some_and(|chunk| chunk.starts_with(br#"{"statusCode":200"#))
    );
    drop(answer);
    // The one connection that the service has is free again, and the next answer is no rest of the last.
    let mut nobody = filters();
    nobody["Domain"] = json!("nobody");
    let next: Value = rollcall
        .report(&token, &nobody)
        .await
        .json()
        .await
        .expect("JSON");
    assert_eq!(
        (&next["statusCode"], &next["data"]),
        (&json!(200), &json!([]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn token_keys_are_fetched_by_the_first_socket_that_answers() {
    let directory = std::env::temp_dir().join(format!("rollcall-jwks-{}", std::process::id()));
    std::fs::create_dir(&directory).expect("a directory");
    // What a killed replica leaves.
    drop(std::os::unix::net::UnixListener::bind(directory.join("http.0.sock")).expect("a socket"));
    let rollcall = Rollcall::builder()
        .await
        .set(|settings| {
            settings.server.socket_directory = directory.clone();
            settings.token.jwks_socket_directory = directory.clone();
        })
        .start();
    let token = rollcall.token("reporting:read").await;
    assert_eq!(rollcall.report(&token, &filters()).await.status(), 200);
    assert!(directory.join("http.1.sock").exists(), "auth listens there");
    std::fs::remove_dir_all(directory).expect("removed");
}
