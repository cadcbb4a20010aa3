//! Files with all rows.

use reqwest::Response;
use rollcall_test_support::{Rollcall, snapshot};
use serde_json::Value;

use crate::support::{READ, get, session, with_events};

const REPORT: &str = "/api/v2/attendance?start_date=2025-01-01&end_date=2025-01-31";

fn sessions() -> Vec<Value> {
    [
        session(
            "1",
            "user_4",
            "2025-01-01T15:30:00+05:30",
            "2025-01-01T21:10:00+05:30",
        ),
        session(
            "2",
            "=a,\"b\"",
            "2025-01-02T15:30:00+05:30",
            "2025-01-02T16:30:00+05:30",
        ),
    ]
    .concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn text_formats_have_all_rows_and_a_file_name() {
    let (rollcall, token) = with_events("Asia/Kolkata", &sessions()).await;
    let mut answers = Vec::new();
    for format in [
        "csv",
        "csv&bom=true&separator=%3B",
        "csv&group_by=period",
        "ndjson",
    ] {
        let answer = get(&rollcall, &token, &format!("{REPORT}&format={format}")).await;
        answers.push(snapshot::of(answer).await);
    }
    insta::assert_snapshot!(answers.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn binary_formats_have_their_magic_numbers_and_are_not_compressed_again() {
    let (rollcall, token) = with_events("Asia/Kolkata", &sessions()).await;
    for (format, begin, end) in [
        ("xlsx", b"PK\x03\x04", None),
        ("parquet", b"PAR1", Some(b"PAR1")),
    ] {
        let url = format!("http://{}{REPORT}&format={format}", rollcall.reporting);
        let request = rollcall.http.get(url).bearer_auth(&token);
        let answer = request
            .header("accept-encoding", "gzip")
            .send()
            .await
            .expect("a response");
        assert_eq!(answer.status(), 200);
        let headers = answer.headers().clone();
        assert_eq!(headers.get("content-encoding"), None);
        assert_eq!(headers["cache-control"], "no-store");
        let name = format!("attachment; filename=\"attendance_2025-01-01_2025-01-31.{format}\"");
        assert_eq!(headers["content-disposition"], name);
        let body = answer.bytes().await.expect("a body");
        assert!(body.starts_with(begin), "{format}");
        assert!(end.is_none_or(|end| body.ends_with(end)), "{format}");
    }
}

async fn accepting(rollcall: &Rollcall, token: &str, accept: &str) -> Response {
    let url = format!("http://{}{REPORT}", rollcall.reporting);
    let request = rollcall
        .http
        .get(url)
        .bearer_auth(token)
        .header("accept", accept);
    request.send().await.expect("a response")
}

#[tokio::test(flavor = "multi_thread")]
async fn accept_chooses_the_format_and_an_unknown_one_gets_406() {
    let (rollcall, token) = with_events("Asia/Kolkata", &sessions()).await;
    let answer = accepting(&rollcall, &token, "text/csv").await;
    assert_eq!(
        answer.headers()["content-type"],
        "text/csv; charset=utf-8; header=present"
    );
    assert!(
        answer
            .text()
            .await
            .expect("a body")
            .starts_with("date,user,realm,")
    );
    let answer = accepting(&rollcall, &token, "text/html").await;
    insta::assert_snapshot!(snapshot::of(answer).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_that_contradict_the_format_get_400() {
    let rollcall = Rollcall::start().await;
    let token = rollcall.token(READ).await;
    let mut answers = Vec::new();
    for query in [
        "format=pdf",
        "format=csv&limit=5",
        "format=csv&cursor=abc",
        "format=xlsx&bom=true",
        "format=ndjson&separator=,",
        "format=csv&separator=x",
        "format=csv&bom=yes",
        "bom=false",
        "format=csv&unmapped=skip",
        "provisional=include",
        "format=odoo&unmapped=yes&provisional=no",
        "format=odoo&group_by=day&subject=person&attribution=login&include=absent",
        "format=odoo&limit=1&bom=true",
    ] {
        let answer = get(&rollcall, &token, &format!("{REPORT}&{query}")).await;
        let (status, body): (_, Value) = (answer.status(), answer.json().await.expect("JSON"));
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        let lines = errors.iter().map(|error| format!("\n{}", error["message"]));
        answers.push(format!("{query}: {status}{}", lines.collect::<String>()));
    }
    insta::assert_snapshot!(answers.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn workbook_beyond_the_scratch_budget_gets_503() {
    let rollcall = Rollcall::builder()
        .await
        .set(|settings| settings.reporting.scratch_bytes = 100_000)
        .start();
    rollcall.source().await;
    rollcall
        .database
        .add_sessions(2_000, "'User' || n", "'Default'")
        .await;
    let token = rollcall.token(READ).await;
    let path = format!("{REPORT}&format=xlsx");
    insta::assert_snapshot!(snapshot::of(get(&rollcall, &token, &path).await).await);
    // The budget is free again.
    let path = format!("{REPORT}&format=xlsx&user=user7");
    assert_eq!(get(&rollcall, &token, &path).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn workbook_without_a_scratch_directory_gets_503() {
    let rollcall = Rollcall::builder()
        .await
        .set(|settings| settings.reporting.scratch_directory = "/nonexistent".into())
        .start();
    let token = rollcall.token(READ).await;
    let answer = get(&rollcall, &token, &format!("{REPORT}&format=xlsx")).await;
    assert_eq!(answer.status(), 503);
}
