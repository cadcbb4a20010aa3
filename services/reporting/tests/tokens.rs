//! Verification of tokens: forged, expired and revoked tokens are rejected.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Response;
use rollcall_test_support::{Rollcall, snapshot};
use serde_json::{Value, json};

fn filters() -> Value {
    json!({
        "StartDate": "2025-01-01", "EndDate": "2025-01-31", "UserName": "All Users",
        "StartOfDay": "00:00:00", "RequestDate": "2025-02-01",
    })
}

async fn ask(rollcall: &Rollcall, token: &str) -> Response {
    rollcall.report(token, &filters()).await
}

/// A valid token, its parts, and the key that signed it.
struct ValidToken {
    rollcall: Rollcall,
    token: String,
    header: Header,
    claims: Value,
    key: EncodingKey,
}

async fn valid_token() -> ValidToken {
    let rollcall = Rollcall::start().await;
    let token = rollcall.token("reporting:read").await;
    let file = std::fs::read_dir(&rollcall.settings.auth.key_directory)
        .expect("the folder")
        .next()
        .expect("a key")
        .expect("an entry")
        .path();
    let key = EncodingKey::from_rsa_pem(&std::fs::read(file).expect("the key")).expect("a key");
    let header = jsonwebtoken::decode_header(&token).expect("a header");
    let claims = jsonwebtoken::dangerous::insecure_decode(&token)
        .expect("claims")
        .claims;
    ValidToken {
        rollcall,
        token,
        header,
        claims,
        key,
    }
}

fn segment(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::too_many_lines, reason = "one case for each attack")]
async fn forged_token_gets_401() {
    let ValidToken {
        rollcall,
        token,
        header,
        claims,
        key,
    } = valid_token().await;
    let sign = |header: &Header, claims: &Value, key: &EncodingKey| {
        jsonwebtoken::encode(header, claims, key).expect("a token")
    };
    let changed = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        sign(&header, &claims, &key)
    };
    assert_eq!(
        ask(&rollcall, &sign(&header, &claims, &key)).await.status(),
        200,
        "a token signed by this test is valid until it is changed"
    );

    let [_, body, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts")
    };
    let jwks: Value = rollcall
        .http
        .get(format!("http://{}/.well-known/jwks.json", rollcall.auth))
        .send()
        .await
        .expect("a response")
        .json()
        .await
        .expect("JSON");
    let public = jwks["keys"][0]["n"].as_str().expect("n");
    let foreign = {
        use aws_lc_rs::encoding::AsDer;
        let pair =
            aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).expect("a pair");
        let text = pem::encode(&pem::Pem::new(
            "PRIVATE KEY",
            pair.as_der().expect("der").as_ref(),
        ));
        EncodingKey::from_rsa_pem(text.as_bytes()).expect("a key")
    };
    let foreign_jwk =
        jsonwebtoken::jwk::Jwk::from_encoding_key(&foreign, Algorithm::RS256).expect("a jwk");
    let header_with = |change: &dyn Fn(&mut Header)| {
        let mut header = header.clone();
        change(&mut header);
        header
    };
    let mut altered = token.clone().into_bytes();
    let middle = token.len() - signature.len() - body.len() / 2;
    altered[middle] = if altered[middle] == b'A' { b'B' } else { b'A' };

    let attacks = [
        (
            "alg none",
            format!(
                "{}.{body}.",
                segment(&json!({"alg": "none", "typ": "JWT", "kid": header.kid}))
            ),
        ),
        (
            "alg none with the signature",
            format!(
                "{}.{body}.{signature}",
                segment(&json!({"alg": "none", "typ": "JWT", "kid": header.kid}))
            ),
        ),
        (
            "HS256 with the public key",
            sign(
                &header_with(&|header| header.alg = Algorithm::HS256),
                &claims,
                &EncodingKey::from_secret(public.as_bytes()),
            ),
        ),
        (
            "RS512 with our key",
            sign(
                &header_with(&|header| header.alg = Algorithm::RS512),
                &claims,
                &key,
            ),
        ),
        ("our kid, foreign key", sign(&header, &claims, &foreign)),
        (
            "foreign kid",
            sign(
                &header_with(&|header| header.kid = Some("foreign".into())),
                &claims,
                &foreign,
            ),
        ),
        (
            "kid that is a path",
            sign(
                &header_with(&|header| header.kid = Some("../../etc/passwd".into())),
                &claims,
                &foreign,
            ),
        ),
        (
            "no kid",
            sign(&header_with(&|header| header.kid = None), &claims, &key),
        ),
        (
            "jku",
            sign(
                &header_with(&|header| header.jku = Some("http://127.0.0.1:1/jwks.json".into())),
                &claims,
                &foreign,
            ),
        ),
        (
            "x5u",
            sign(
                &header_with(&|header| header.x5u = Some("http://127.0.0.1:1/key.pem".into())),
                &claims,
                &foreign,
            ),
        ),
        (
            "jwk",
            sign(
                &header_with(&|header| header.jwk = Some(foreign_jwk.clone())),
                &claims,
                &foreign,
            ),
        ),
        (
            "another typ",
            sign(
                &header_with(&|header| header.typ = Some("at+jwt".into())),
                &claims,
                &key,
            ),
        ),
        (
            "no typ",
            sign(&header_with(&|header| header.typ = None), &claims, &key),
        ),
        ("wrong iss", changed("iss", json!("https://elsewhere"))),
        ("wrong aud", changed("aud", json!("elsewhere"))),
        ("no aud", changed("aud", Value::Null)),
        ("exp as text", changed("exp", json!("9999999999"))),
        (
            "not yet",
            changed("nbf", json!(rollcall.clock.now().as_second() + 60)),
        ),
        (
            "a jti that was never issued",
            changed("jti", json!("made up")),
        ),
        ("an altered byte", String::from_utf8(altered).expect("text")),
        ("cut off", token[..token.len() - 8].to_owned()),
        ("no token", "token".to_owned()),
        ("two dots", "..".to_owned()),
    ];
    for (attack, forged) in attacks {
        let answer = ask(&rollcall, &forged).await;
        assert_eq!(answer.status(), 401, "{attack}");
        assert_eq!(
            answer.headers()["www-authenticate"],
            r#"Bearer error="invalid_token""#,
            "{attack}"
        );
    }
    assert_eq!(
        ask(&rollcall, &token).await.status(),
        200,
        "the original token is still valid"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn token_is_valid_for_119_seconds_and_expired_after_121() {
    let ValidToken {
        rollcall, token, ..
    } = valid_token().await;
    rollcall.clock.advance(119);
    for _ in 0..3 {
        assert_eq!(ask(&rollcall, &token).await.status(), 200);
    }
    rollcall.clock.advance(2);
    insta::assert_snapshot!(snapshot::of(ask(&rollcall, &token).await).await, @r#"
    401 Unauthorized
    cache-control: no-store
    content-type: application/json
    www-authenticate: Bearer error="invalid_token"
    {
      "statusCode": 401,
      "statusMessage": "The token has expired: tokens are valid for 120 seconds. Get a new token from /api/v1/auth/connect.",
      "responseDate": "[responseDate]",
      "data": []
    }
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn revoked_token_gets_401() {
    let rollcall = Rollcall::start().await;
    let client = rollcall.client("reporting:read").await;
    let answer: Value = rollcall
        .connect(&client.0, &client.1)
        .await
        .json()
        .await
        .expect("JSON");
    let token = answer["token"].as_str().expect("a token");
    let request = rollcall
        .http
        .post(format!("http://{}/oauth2/revoke", rollcall.auth))
        .basic_auth(&client.0, Some(&client.1));
    let request = request
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("token={token}"));
    assert_eq!(request.send().await.expect("a response").status(), 200);
    insta::assert_snapshot!(snapshot::of(ask(&rollcall, token).await).await, @r#"
    401 Unauthorized
    cache-control: no-store
    content-type: application/json
    www-authenticate: Bearer error="invalid_token"
    {
      "statusCode": 401,
      "statusMessage": "The token has been revoked or has expired. Get a new token from /api/v1/auth/connect.",
      "responseDate": "[responseDate]",
      "data": []
    }
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn request_without_token_gets_401() {
    let rollcall = Rollcall::start().await;
    let url = format!("http://{}/api/v1/reporting/sessions", rollcall.reporting);
    let request = rollcall.http.post(&url).json(&json!({}));
    let response = request.send().await.expect("a response");
    insta::assert_snapshot!(snapshot::of(response).await, @r#"
    401 Unauthorized
    cache-control: no-store
    content-type: application/json
    www-authenticate: Bearer
    {
      "statusCode": 401,
      "statusMessage": "The request has no token. Send the header Authorization: Bearer with the token from /api/v1/auth/connect.",
      "responseDate": "[responseDate]",
      "data": []
    }
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn token_without_the_scope_gets_403() {
    let rollcall = Rollcall::start().await;
    let token = rollcall.token("admin").await;
    insta::assert_snapshot!(snapshot::of(ask(&rollcall, &token).await).await, @r#"
    403 Forbidden
    cache-control: no-store
    content-type: application/json
    www-authenticate: Bearer error="insufficient_scope"
    {
      "statusCode": 403,
      "statusMessage": "The API client lacks the scope reporting:read. Ask the operator for a client with this scope.",
      "responseDate": "[responseDate]",
      "data": []
    }
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn token_of_disabled_client_gets_401_without_an_audit_entry() {
    let rollcall = Rollcall::start().await;
    let (name, password) = rollcall.client("reporting:read").await;
    let answer: Value = rollcall
        .connect(&name, &password)
        .await
        .json()
        .await
        .expect("JSON");
    let token = answer["token"].as_str().expect("a token");
    assert_eq!(ask(&rollcall, token).await.status(), 200);
    let now = rollcall.clock.now();
    let disabled = rollcall
        .operator()
        .ask(async |connection| rollcall_store::api_clients::disable(connection, &name, now).await)
        .await;
    assert!(disabled.expect("a response"));
    for user in ["All Users", "one"] {
        let mut filters = filters();
        filters["UserName"] = json!(user);
        let rejected = rollcall.report(token, &filters).await;
        assert_eq!(rejected.status(), 401, "{user}");
        assert_eq!(
            rejected.headers()["www-authenticate"],
            r#"Bearer error="invalid_token""#
        );
    }
    let reports = "SELECT actor AS text FROM audit_log WHERE action = 'v1.reporting.sessions'";
    assert_eq!(rollcall.database.texts(reports).await.len(), 1);
}
