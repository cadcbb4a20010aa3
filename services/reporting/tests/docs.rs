//! The page on which the API can be read and tried.

use reqwest::Response;
use rollcall_test_support::{Rollcall, snapshot};

async fn get(rollcall: &Rollcall, path: &str) -> Response {
    let url = format!("http://{}{path}", rollcall.reporting);
    rollcall.http.get(url).send().await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_under_docs_says_what_a_browser_may_load() {
    let rollcall = Rollcall::start().await;
    for (path, status, media_type) in [
        ("/api/docs/", 200, "text/html; charset=utf-8"),
        ("/api/docs/swagger-ui.css", 200, "text/css"),
        ("/api/docs/nothing", 404, "application/json"),
    ] {
        let answer = get(&rollcall, path).await;
        assert_eq!(answer.status(), status, "{path}");
        let headers = answer.headers();
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
async fn an_unknown_file_under_docs_gets_404_in_the_envelope() {
    let rollcall = Rollcall::start().await;
    insta::assert_snapshot!(snapshot::of(get(&rollcall, "/api/docs/nothing").await).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_asks_no_third_party_to_validate_the_api() {
    let rollcall = Rollcall::start().await;
    let settings = get(&rollcall, "/api/docs/swagger-initializer.js").await;
    let settings = settings.text().await.expect("text");
    assert!(settings.contains(r#""validatorUrl": "none""#), "{settings}");
}
