//! KB008's connect, as a client sees it.

use reqwest::{Response, header};
use rollcall_test_support::{Proxy, Rollcall, snapshot};
use serde_json::{Value, json};

async fn post(rollcall: &Rollcall, body: &str) -> Response {
    let request = rollcall
        .http
        .post(format!("http://{}/api/v1/auth/connect", rollcall.auth));
    request
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.to_owned())
        .send()
        .await
        .expect("a response")
}

#[tokio::test(flavor = "multi_thread")]
async fn right_password_gets_a_token_and_nothing_else() {
    let rollcall = Rollcall::start().await;
    let (name, password) = rollcall.client("reporting:read").await;
    insta::assert_snapshot!(snapshot::of(rollcall.connect(&name, &password).await).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn token_has_the_claims_of_the_contract() {
    let rollcall = Rollcall::start().await;
    let token = rollcall.token("reporting:read admin").await;
    let jwks: Value = rollcall
        .http
        .get(format!("http://{}/.well-known/jwks.json", rollcall.auth))
        .send()
        .await
        .expect("a response")
        .json()
        .await
        .expect("JSON");
    let header = jsonwebtoken::decode_header(&token).expect("a header");
    assert_eq!(
        (header.alg, header.typ.as_deref()),
        (jsonwebtoken::Algorithm::RS256, Some("JWT"))
    );
    assert_eq!(jwks["keys"][0]["kid"], json!(header.kid.expect("a kid")));
    let claims: Value = jsonwebtoken::dangerous::insecure_decode(&token)
        .expect("claims")
        .claims;
    assert_eq!(
        claims["exp"]
            .as_i64()
            .zip(claims["iat"].as_i64())
            .map(|(exp, iat)| exp - iat),
        Some(120)
    );
    assert_eq!(
        (&claims["iss"], &claims["aud"], &claims["scope"]),
        (
            &json!("https://rollcall"),
            &json!("rollcall"),
            &json!("reporting:read admin")
        )
    );
    assert_eq!(claims["nbf"], claims["iat"]);
    assert!(claims["jti"].is_string() && claims["sub"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn issuing_a_token_leaves_earlier_tokens_valid() {
    let rollcall = Rollcall::start().await;
    let (name, password) = rollcall.client("reporting:read").await;
    let mut tokens = Vec::new();
    for _ in 0..3 {
        let answer: Value = rollcall
            .connect(&name, &password)
            .await
            .json()
            .await
            .expect("JSON");
        tokens.push(answer["token"].as_str().expect("a token").to_owned());
    }
    for token in &tokens {
        rollcall
            .rows(token, "2025-01-01", "2025-01-01", "00:00:00")
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_request_gets_an_error_that_says_what_is_accepted() {
    let rollcall = Rollcall::start().await;
    let mut answers = Vec::new();
    for body in [
        "",
        "[]",
        "{",
        r#"{"username":"a"}"#,
        r#"{"username":5,"password":"b"}"#,
        r#"{"username":"a","password":["secret"]}"#,
        r#"{"username":"a","username":"b","password":"c"}"#,
    ] {
        answers.push(format!(
            "{body}\n{}",
            snapshot::of(post(&rollcall, body).await).await
        ));
    }
    let plain = rollcall
        .http
        .post(format!("http://{}/api/v1/auth/connect", rollcall.auth))
        .body("{}")
        .send()
        .await
        .expect("a response");
    answers.push(format!("no media type\n{}", snapshot::of(plain).await));
    let long = post(
        &rollcall,
        &json!({"username": "a", "password": "b".repeat(20_000)}).to_string(),
    )
    .await;
    answers.push(format!("too long\n{}", snapshot::of(long).await));
    let get = rollcall
        .http
        .get(format!("http://{}/api/v1/auth/connect", rollcall.auth))
        .send()
        .await
        .expect("a response");
    answers.push(format!("GET\n{}", snapshot::of(get).await));
    let elsewhere = rollcall
        .http
        .get(format!("http://{}/api/v1/auth", rollcall.auth))
        .send()
        .await
        .expect("a response");
    answers.push(format!("elsewhere\n{}", snapshot::of(elsewhere).await));
    insta::assert_snapshot!(answers.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_gets_503_without_a_store_and_recovers() {
    let (postgres, redis) = (
        Proxy::new(rollcall_test_support::postgres()).await,
        Proxy::new(rollcall_test_support::redis()).await,
    );
    let rollcall = Rollcall::builder()
        .await
        .postgres(postgres.address)
        .redis(redis.address)
        .start();
    let (name, password) = rollcall.client("reporting:read").await;
    redis.cut();
    let without_redis = snapshot::of(rollcall.connect(&name, &password).await).await;
    redis.restore();
    postgres.cut();
    let without_postgres = snapshot::of(rollcall.connect(&name, &password).await).await;
    postgres.restore();
    assert_eq!(rollcall.connect(&name, &password).await.status(), 200);
    insta::assert_snapshot!(format!(
        "without Redis\n{without_redis}\n\nwithout Postgres\n{without_postgres}"
    ));
}
