//! Responses to report requests during an outage of PostgreSQL, Redis or `auth`, and the recovery
//! without a restart.

use rollcall_test_support::{Proxy, Rollcall, snapshot};
use serde_json::{Value, json};
use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

fn filters() -> Value {
    json!({
        "StartDate": "2025-01-01", "EndDate": "2025-01-31", "UserName": "All Users",
        "StartOfDay": "00:00:00", "RequestDate": "2025-02-01",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn report_returns_503_within_5_seconds_while_redis_is_down() {
    let redis = Proxy::new(rollcall_test_support::redis()).await;
    let rollcall = Rollcall::builder().await.redis(redis.address).start();
    let token = rollcall.token("reporting:read").await;
    for outage in [Proxy::cut, Proxy::silence] {
        outage(&redis);
        let started = Instant::now();
        let response = rollcall.report(&token, &filters()).await;
        // The limit of the time to wait for Redis is much shorter, so a slow machine passes too.
        assert!(started.elapsed() < Duration::from_secs(5));
        let response = snapshot::of(response).await;
        insta::allow_duplicates! { insta::assert_snapshot!(response, @r#"
        503 Service Unavailable
        cache-control: no-store
        content-type: application/json
        retry-after: 1
        {
          "statusCode": 503,
          "statusMessage": "The token cannot be verified at the moment: the token store does not answer. Repeat the call.",
          "responseDate": "[responseDate]",
          "data": []
        }
        "#); }
        redis.restore();
        until_recovered(&rollcall, &token).await;
    }
}

/// Repeats a report until it succeeds.
async fn until_recovered(rollcall: &Rollcall, token: &str) {
    let started = Instant::now();
    while rollcall.report(token, &filters()).await.status() != 200 {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "the service does not recover"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Returns the response to a report request during an outage of PostgreSQL. Checks that reports
/// succeed before and after the outage.
async fn response_during_outage(outage: fn(&Proxy)) -> String {
    let postgres = Proxy::new(rollcall_test_support::postgres()).await;
    let rollcall = Rollcall::builder()
        .await
        .postgres(postgres.address)
        .set(|settings| settings.database.wait_milliseconds = 500)
        .start();
    let token = rollcall.token("reporting:read").await;
    assert_eq!(rollcall.report(&token, &filters()).await.status(), 200);
    outage(&postgres);
    let response = snapshot::of(rollcall.report(&token, &filters()).await).await;
    postgres.restore();
    until_recovered(&rollcall, &token).await;
    response
}

#[tokio::test(flavor = "multi_thread")]
async fn report_returns_503_while_postgres_is_unreachable() {
    insta::assert_snapshot!(response_during_outage(Proxy::cut).await, @r#"
    503 Service Unavailable
    cache-control: no-store
    content-type: application/json
    retry-after: 1
    {
      "statusCode": 503,
      "statusMessage": "The reporting database is unreachable. Repeat the call; on the gateway, scripts/status says more.",
      "responseDate": "[responseDate]",
      "data": []
    }
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn report_returns_503_while_postgres_does_not_answer() {
    insta::assert_snapshot!(response_during_outage(Proxy::silence).await, @r#"
    503 Service Unavailable
    cache-control: no-store
    content-type: application/json
    retry-after: 1
    {
      "statusCode": 503,
      "statusMessage": "The reporting database took too long to answer. Repeat the call later, or ask for fewer days.",
      "responseDate": "[responseDate]",
      "data": []
    }
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn report_and_readiness_return_503_while_auth_is_down_and_no_key_is_cached() {
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
        .expect("a response");
    let ready = rollcall
        .http
        .get(format!("http://{internal}/health/ready"))
        .send()
        .await
        .expect("a response");
    insta::assert_snapshot!(snapshot::of(answer).await, @r#"
    503 Service Unavailable
    cache-control: no-store
    content-type: application/json
    retry-after: 1
    {
      "statusCode": 503,
      "statusMessage": "The token cannot be verified at the moment: its keys cannot be fetched. Repeat the call.",
      "responseDate": "[responseDate]",
      "data": []
    }
    "#);
    insta::assert_snapshot!(snapshot::of(ready).await, @r#"
    503 Service Unavailable
    content-type: application/json
    {
      "status": "not ready",
      "missing": [
        "auth does not answer: see scripts/status and the log of auth"
      ]
    }
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_metrics_are_served_on_the_internal_port_only() {
    let rollcall = Rollcall::start().await;
    let get = async |address, path| {
        rollcall
            .http
            .get(format!("http://{address}{path}"))
            .send()
            .await
            .expect("a response")
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
async fn disconnected_client_releases_the_database_connection() {
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
    // The only connection is free again, and the next response has no remains of the previous one.
    let mut unknown_realm = filters();
    unknown_realm["Domain"] = json!("unknown");
    let next: Value = rollcall
        .report(&token, &unknown_realm)
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
async fn token_keys_are_fetched_from_the_first_socket_that_answers() {
    let directory = std::env::temp_dir().join(format!("rollcall-jwks-{}", std::process::id()));
    std::fs::create_dir(&directory).expect("a directory");
    // A killed replica leaves a socket file without a listener.
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
