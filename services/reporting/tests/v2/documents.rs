//! The OpenAPI document of version 2.

use rollcall_test_support::Rollcall;
use serde_json::{Value, json};

async fn document(rollcall: &Rollcall) -> Value {
    let url = format!("http://{}/api/v2/openapi.json", rollcall.reporting);
    let response = rollcall.http.get(url).send().await.expect("a response");
    response.json().await.expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn document_is_openapi_3_1_with_client_credentials() {
    let rollcall = Rollcall::start().await;
    let document = document(&rollcall).await;
    assert!(
        document["openapi"]
            .as_str()
            .is_some_and(|version| version.starts_with("3.1."))
    );
    let flow = &document["components"]["securitySchemes"]["token"]["flows"]["clientCredentials"];
    assert_eq!(flow["tokenUrl"], "/oauth2/token");
    let paths = document["paths"].as_object().expect("paths");
    for (path, operations) in paths {
        let operation = &operations["get"];
        assert_eq!(
            operation["security"],
            json!([{"token": ["reporting:read"]}]),
            "{path}"
        );
        let responses = operation["responses"].as_object().expect("responses");
        for status in ["400", "401", "403", "429", "503"] {
            let content = &responses[status]["content"];
            assert!(
                content.get("application/problem+json").is_some(),
                "{path} {status}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn workbook_and_parquet_are_documented_as_binary() {
    let rollcall = Rollcall::start().await;
    let document = document(&rollcall).await;
    let responses = &document["paths"]["/api/v2/attendance"]["get"]["responses"];
    for media_type in [
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.apache.parquet",
    ] {
        assert_eq!(
            responses["200"]["content"][media_type]["schema"],
            json!({"type": "string", "format": "binary"})
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_documents_its_default_limit_and_always_has_next() {
    let rollcall = Rollcall::start().await;
    let document = document(&rollcall).await;
    for (path, operations) in document["paths"].as_object().expect("paths") {
        let operation = &operations["get"];
        let mut parameters = operation["parameters"]
            .as_array()
            .expect("parameters")
            .iter();
        let limit = parameters.find(|parameter| parameter["name"] == "limit");
        let limit = limit.expect("a limit");
        assert_eq!(limit["required"], false, "{path}");
        assert_eq!(limit["schema"]["default"], 1_000, "{path} {limit}");
        let page = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        let page = page["$ref"].as_str().expect("a reference");
        let page = document
            .pointer(page.trim_start_matches('#'))
            .expect("a page");
        let required = page["required"].as_array().expect("a list");
        assert!(required.contains(&json!("next")), "{path} {page}");
    }
}

/// Adds every reference within a part of the document.
fn add_references<'a>(part: &'a Value, found: &mut Vec<&'a str>) {
    match part {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members
                .values()
                .for_each(|member| add_references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| add_references(item, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reference_leads_to_a_part_of_the_document() {
    let rollcall = Rollcall::start().await;
    let document = document(&rollcall).await;
    let mut references = Vec::new();
    add_references(&document, &mut references);
    assert!(references.len() > 20, "{references:?}");
    for reference in references {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let status = &document["components"]["schemas"]["Row"]["properties"]["status"];
    assert_eq!(status["$ref"], "#/components/schemas/Status", "{status}");
}

/// Each parameter of an operation is taken by the service: without a documented one the service
/// would say that it is unknown.
#[tokio::test(flavor = "multi_thread")]
async fn documented_parameters_are_those_that_the_service_takes() {
    let rollcall = Rollcall::start().await;
    let token = rollcall.token(crate::support::READ).await;
    let document = document(&rollcall).await;
    for (path, operations) in document["paths"].as_object().expect("paths") {
        let parameters = operations["get"]["parameters"]
            .as_array()
            .expect("parameters");
        let in_query = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "query");
        let mut documented: Vec<&str> = in_query
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        if path.contains('{') {
            continue;
        }
        let answer = crate::support::get(&rollcall, &token, &format!("{path}?unknown=1")).await;
        let answer: Value = answer.json().await.expect("JSON");
        let errors = answer["errors"].as_array().expect("errors");
        let message = errors
            .last()
            .and_then(|error| error["message"].as_str())
            .expect("text");
        let (_, accepted) = message
            .trim_end_matches('.')
            .split_once("it takes ")
            .expect("a list");
        let mut accepted: Vec<&str> = accepted.split(", ").collect();
        documented.sort_unstable();
        accepted.sort_unstable();
        assert_eq!(documented, accepted, "{path}");
    }
}
