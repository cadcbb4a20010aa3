//! The standard receivers: RFC 6749, 7662, 7009, 8414.

use reqwest::Response;
use rollcall_test_support::{Rollcall, snapshot};
use serde_json::{Value, json};

async fn post(
    rollcall: &Rollcall,
    path: &str,
    client: Option<&(String, String)>,
    form: &[(&str, &str)],
) -> Response {
    let body: Vec<String> = form
        .iter()
        .map(|(name, value)| format!("{name}={}", value.replace(' ', "+")))
        .collect();
    let mut request = rollcall
        .http
        .post(format!("http://{}{path}", rollcall.auth))
        .body(body.join("&"));
    request = request.header("content-type", "application/x-www-form-urlencoded");
    if let Some((name, password)) = client {
        request = request.basic_auth(name, Some(password));
    }
    request.send().await.expect("a response")
}

async fn token(rollcall: &Rollcall, client: &(String, String)) -> String {
    let answer: Value = post(
        rollcall,
        "/oauth2/token",
        Some(client),
        &[("grant_type", "client_credentials")],
    )
    .await
    .json()
    .await
    .expect("JSON");
    answer["access_token"].as_str().expect("a token").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn client_credentials_get_a_token_that_can_read_reports() {
    let rollcall = Rollcall::start().await;
    let client = rollcall.client("reporting:read admin").await;
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", "reporting:read"),
    ];
    insta::assert_snapshot!(
        snapshot::of(post(&rollcall, "/oauth2/token", Some(&client), &form).await).await
    );
    rollcall
        .rows(
            &token(&rollcall, &client).await,
            "2025-01-01",
            "2025-01-01",
            "00:00:00",
        )
        .await;
    let in_form = [
        ("grant_type", "client_credentials"),
        ("client_id", client.0.as_str()),
        ("client_secret", client.1.as_str()),
    ];
    assert_eq!(
        post(&rollcall, "/oauth2/token", None, &in_form)
            .await
            .status(),
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_follow_rfc_6749() {
    let rollcall = Rollcall::start().await;
    let client = rollcall.client("reporting:read").await;
    let wrong = (client.0.clone(), "guess".to_owned());
    let mut answers = Vec::new();
    for (what, client, form) in [
        (
            "no client",
            None,
            vec![("grant_type", "client_credentials")],
        ),
        (
            "wrong password",
            Some(&wrong),
            vec![("grant_type", "client_credentials")],
        ),
        ("no grant", Some(&client), vec![]),
        (
            "another grant",
            Some(&client),
            vec![("grant_type", "password")],
        ),
        (
            "a scope that it has not",
            Some(&client),
            vec![
                ("grant_type", "client_credentials"),
                ("scope", "reporting:read admin"),
            ],
        ),
        (
            "twice",
            Some(&client),
            vec![
                ("grant_type", "client_credentials"),
                ("grant_type", "client_credentials"),
            ],
        ),
    ] {
        answers.push(format!(
            "{what}\n{}",
            snapshot::of(post(&rollcall, "/oauth2/token", client, &form).await).await
        ));
    }
    insta::assert_snapshot!(answers.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn token_can_be_introspected_and_revoked_only_by_its_client() {
    let rollcall = Rollcall::start().await;
    let (owner, other, admin) = (
        rollcall.client("reporting:read").await,
        rollcall.client("reporting:read").await,
        rollcall.client("admin").await,
    );
    let token = token(&rollcall, &owner).await;
    let active = async |client| {
        let answer: Value = post(
            &rollcall,
            "/oauth2/introspect",
            Some(client),
            &[("token", &token)],
        )
        .await
        .json()
        .await
        .expect("JSON");
        if answer["active"] == json!(false) {
            assert_eq!(
                answer,
                json!({"active": false}),
                "the response says nothing else about an inactive token"
            );
        } else {
            assert_eq!(
                (&answer["sub"], &answer["scope"], &answer["token_type"]),
                (&json!(owner.0), &json!("reporting:read"), &json!("Bearer"))
            );
        }
        answer["active"] == json!(true)
    };
    assert!(active(&owner).await && active(&admin).await && !active(&other).await);
    for client in [&other, &admin] {
        assert_eq!(
            post(
                &rollcall,
                "/oauth2/revoke",
                Some(client),
                &[("token", &token)]
            )
            .await
            .status(),
            200
        );
        assert!(active(&owner).await, "only its own client revokes a token");
    }
    assert_eq!(
        post(
            &rollcall,
            "/oauth2/revoke",
            Some(&owner),
            &[("token", &token)]
        )
        .await
        .status(),
        200
    );
    assert!(!active(&owner).await && !active(&admin).await);
    assert_eq!(
        post(
            &rollcall,
            "/oauth2/revoke",
            Some(&owner),
            &[("token", "no token")]
        )
        .await
        .status(),
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn basic_and_body_credentials_in_one_request_are_rejected() {
    let rollcall = Rollcall::start().await;
    let client = rollcall.client("reporting:read").await;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client.0.as_str()),
        ("client_secret", client.1.as_str()),
    ];
    let answer = post(&rollcall, "/oauth2/token", Some(&client), &form).await;
    insta::assert_snapshot!(snapshot::of(answer).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn revocation_of_an_own_token_is_audited() {
    let rollcall = Rollcall::start().await;
    let (owner, other) = (
        rollcall.client("reporting:read").await,
        rollcall.client("reporting:read").await,
    );
    let token = token(&rollcall, &owner).await;
    for client in [&other, &owner] {
        let form = [("token", token.as_str())];
        let answer = post(&rollcall, "/oauth2/revoke", Some(client), &form);
        assert_eq!(answer.await.status(), 200);
    }
    let claims: Value = jsonwebtoken::dangerous::insecure_decode(&token)
        .expect("claims")
        .claims;
    let query = "SELECT concat(role, ' ', actor, ' ', detail->>'jti') AS text
        FROM audit_log WHERE action = 'token.revoke'";
    let expected = format!(
        "auth {} {}",
        owner.0,
        claims["jti"].as_str().expect("an ID")
    );
    assert_eq!(rollcall.database.texts(query).await, [expected]);
}

#[tokio::test(flavor = "multi_thread")]
async fn token_with_a_blank_around_it_is_not_active() {
    let rollcall = Rollcall::start().await;
    let client = rollcall.client("reporting:read").await;
    let token = token(&rollcall, &client).await;
    for padded in [format!("{token} "), format!(" {token}")] {
        let form = [("token", padded.as_str())];
        let answer = post(&rollcall, "/oauth2/introspect", Some(&client), &form);
        let answer: Value = answer.await.json().await.expect("JSON");
        assert_eq!(answer, json!({"active": false}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_has_the_urls_of_the_endpoints() {
    let rollcall = Rollcall::start().await;
    let answer = rollcall
        .http
        .get(format!(
            "http://{}/.well-known/oauth-authorization-server",
            rollcall.auth
        ))
        .send()
        .await
        .expect("a response");
    insta::assert_snapshot!(snapshot::of(answer).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn token_request_gets_500_without_a_signing_key() {
    let rollcall = Rollcall::start().await;
    let client = rollcall.client("reporting:read").await;
    let folder = &rollcall.settings.auth.key_directory;
    std::fs::remove_dir_all(folder).expect("the keys are removed");
    let form = [("grant_type", "client_credentials")];
    let response = post(&rollcall, "/oauth2/token", Some(&client), &form).await;
    assert_eq!(response.status(), 500);
    let body: Value = response.json().await.expect("JSON");
    assert_eq!(body["error"], "server_error");
    let description = body["error_description"].as_str().expect("a text");
    assert!(
        description.starts_with("The token could not be signed."),
        "{body}"
    );
    assert!(!description.contains("pem"), "{body}");
}
