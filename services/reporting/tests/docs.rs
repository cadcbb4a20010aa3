//! The page that describes the API, and the OpenAPI documents behind it.

use reqwest::Response;
use rollcall_test_support::{Rollcall, snapshot};
use serde_json::{Value, json};

async fn get(rollcall: &Rollcall, path: &str) -> Response {
    let url = format!("http://{}{path}", rollcall.reporting);
    rollcall.http.get(url).send().await.expect("a response")
}

#[tokio::test(flavor = "multi_thread")]
async fn response_under_docs_has_a_content_security_policy() {
    let rollcall = Rollcall::start().await;
    for (path, status, media_type) in [
        ("/api/docs/", 200, "text/html; charset=utf-8"),
        ("/api/docs/swagger-ui.css", 200, "text/css"),
        ("/api/docs/nothing", 404, "application/json"),
    ] {
        let response = get(&rollcall, path).await;
        assert_eq!(response.status(), status, "{path}");
        let headers = response.headers();
        assert_eq!(headers["content-type"], media_type, "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
        let policy = headers["content-security-policy"].to_str().expect("text");
        assert!(
            policy.starts_with("default-src 'self';") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_file_under_docs_gets_404_in_the_response_envelope() {
    let rollcall = Rollcall::start().await;
    insta::assert_snapshot!(snapshot::of(get(&rollcall, "/api/docs/nothing").await).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn page_asks_no_third_party_to_validate_the_api() {
    let rollcall = Rollcall::start().await;
    let settings = get(&rollcall, "/api/docs/swagger-initializer.js").await;
    let settings = settings.text().await.expect("text");
    assert!(settings.contains(r#""validatorUrl": "none""#), "{settings}");
}

#[tokio::test(flavor = "multi_thread")]
async fn page_is_compressed_for_a_browser_that_accepts_it() {
    let rollcall = Rollcall::start().await;
    let path = "/api/docs/swagger-ui-bundle.js";
    let url = format!("http://{}{path}", rollcall.reporting);
    let request = rollcall.http.get(url).header("accept-encoding", "gzip");
    let response = request.send().await.expect("a response");
    assert_eq!(response.headers()["content-encoding"], "gzip");
}

#[tokio::test(flavor = "multi_thread")]
async fn page_shows_all_documents_and_can_sign_in() {
    let rollcall = Rollcall::start().await;
    let settings = get(&rollcall, "/api/docs/swagger-initializer.js").await;
    let settings = settings.text().await.expect("text");
    for path in [
        "/api/v1/reporting",
        "/api/v2",
        "/api/v1/auth",
        "/api/v1/ingestion",
    ] {
        assert!(
            settings.contains(&format!("{path}/openapi.json")),
            "{settings}"
        );
    }
    assert!(
        settings.contains("initOAuth") && settings.contains("reporting:read"),
        "{settings}"
    );
}

async fn document(rollcall: &Rollcall, service: &str) -> Value {
    let address = match service {
        "auth" => rollcall.auth,
        "ingestion" => rollcall.ingestion,
        _ => rollcall.reporting,
    };
    let url = format!("http://{address}/api/v1/{service}/openapi.json");
    let response = rollcall.http.get(url).send().await.expect("a response");
    response.json().await.expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn operation_has_a_name_and_a_heading_of_words() {
    let rollcall = Rollcall::start().await;
    for service in ["reporting", "auth", "ingestion"] {
        let document = document(&rollcall, service).await;
        let paths = document["paths"].as_object().expect("paths");
        for operation in paths.values().filter_map(|path| path.as_object()).flatten() {
            let (method, operation) = operation;
            let id = operation["operationId"].as_str().expect("a name");
            assert!(
                id.chars().any(char::is_uppercase) && id.chars().all(char::is_alphabetic),
                "{service} {method} {id}"
            );
            let tags = operation["tags"].to_string();
            assert!(!tags.contains("::") && tags != "[]", "{id} {tags}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn report_can_be_authorized_with_client_credentials() {
    let rollcall = Rollcall::start().await;
    let document = document(&rollcall, "reporting").await;
    let flow = &document["components"]["securitySchemes"]["token"]["flows"]["clientCredentials"];
    assert_eq!(flow["tokenUrl"], "/oauth2/token");
    let operation = &document["paths"]["/api/v1/reporting/sessions"]["post"];
    assert_eq!(
        operation["security"],
        json!([{"token": ["reporting:read"]}])
    );
}
