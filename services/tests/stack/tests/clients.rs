//! Independent clients: `PyJWT`, Authlib and schemathesis.

use rollcall_stack_tests::{api_client, client, source, token, url};

fn python(script: &str, arguments: &[&str]) -> String {
    let path = format!("/clients/{script}");
    let mut command = vec!["python3", path.as_str()];
    command.extend(arguments);
    client(&command, "")
}

#[test]
fn pyjwt_verifies_a_token_by_the_jwks() {
    let client = api_client(&["reporting:read"]);
    assert_eq!(
        python("verify_token.py", &[&token(&client)]).trim(),
        format!("{} reporting:read", client.0)
    );
}

#[test]
fn authlib_finds_the_oauth_endpoints_and_uses_them() {
    let (name, password) = api_client(&["reporting:read", "admin", "attendance:write"]);
    assert_eq!(
        python("oauth_client.py", &[&name, &password]).trim(),
        "basic post introspected revoked"
    );
}

/// Tests a service with valid and invalid requests that schemathesis derives from its OpenAPI
/// document. The seed is fixed, so that a failure can be reproduced.
fn schemathesis(document: &str, authorization: &[&str], options: &[&str]) {
    let document = format!("{}{document}", url());
    let mut command = vec![
        "schemathesis",
        "run",
        &document,
        "--tls-verify",
        "/state/ca.pem",
        "--phases",
        "examples,coverage,fuzzing",
        "--seed",
        "20250101",
        "--no-color",
    ];
    command.extend(authorization);
    command.extend(options);
    let report = client(&command, "");
    assert!(!report.contains("FAILURES"), "{report}");
}

#[test]
fn auth_complies_with_its_openapi_document() {
    let (name, password) = api_client(&["reporting:read", "admin", "attendance:write"]);
    schemathesis(
        "/api/v1/auth/openapi.json",
        &["-a", &format!("{name}:{password}")],
        &["--max-examples", "60"],
    );
}

#[test]
fn ingestion_complies_with_its_openapi_document() {
    schemathesis(
        "/api/v1/ingestion/openapi.json",
        &["-H", &format!("Authorization: Bearer {}", source())],
        // The contract rejects an invalid event alone with status 200, so that the check, which
        // expects 4xx for data that violates the schema, cannot hold. The tests of ingestion cover
        // the bodies that get 4xx.
        &[
            "--max-examples",
            "60",
            "--exclude-checks",
            "negative_data_rejection",
        ],
    );
}

#[test]
fn reporting_complies_with_its_openapi_document() {
    let token = token(&api_client(&["reporting:read"]));
    // A start after the end gets 400, which a schema cannot express.
    schemathesis(
        "/api/v1/reporting/openapi.json",
        &["-H", &format!("Authorization: Bearer {token}")],
        &[
            "--max-examples",
            "60",
            "--exclude-checks",
            "positive_data_acceptance",
        ],
    );
}

#[test]
fn version_2_complies_with_its_openapi_document() {
    let token = token(&api_client(&["reporting:read"]));
    // A start after the end and contradicting parameters get 400, which a schema cannot express.
    // Requests stay below the rate limit, because a 429 tests nothing.
    schemathesis(
        "/api/v2/openapi.json",
        &["-H", &format!("Authorization: Bearer {token}")],
        &[
            "--max-examples",
            "10",
            "--rate-limit",
            "45/s",
            "--exclude-checks",
            "positive_data_acceptance",
        ],
    );
}
