//! Errors have the form of RFC 9457.

use rollcall_test_support::{Rollcall, TestDatabase, snapshot};

use crate::support::{READ, get};

const REPORT: &str = "/api/v2/attendance?start_date=2025-01-01&end_date=2025-01-31";

#[tokio::test(flavor = "multi_thread")]
async fn unknown_address_or_method_gets_problem_details_with_the_request_id() {
    let rollcall = Rollcall::start().await;
    let url = |path: &str| format!("http://{}{path}", rollcall.reporting);
    let mut answers = Vec::new();
    for path in [
        "/api/v2/",
        "/api/v2/attendance/",
        "/api/v2/attendance/changes",
        "/api/v2x",
    ] {
        let request = rollcall.http.get(url(path)).header("x-request-id", "42");
        let answer = request.send().await.expect("a response");
        answers.push(format!("GET {path}\n{}", snapshot::of(answer).await));
    }
    let answer = rollcall
        .http
        .post(url(REPORT))
        .send()
        .await
        .expect("a response");
    answers.push(format!("POST\n{}", snapshot::of(answer).await));
    insta::assert_snapshot!(answers.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_or_wrong_token_or_scope_gets_problem_details() {
    let rollcall = Rollcall::start().await;
    let url = format!("http://{}{REPORT}", rollcall.reporting);
    let answer = rollcall.http.get(url).send().await.expect("a response");
    let none = snapshot::of(answer).await;
    let wrong = snapshot::of(get(&rollcall, "wrong", REPORT).await).await;
    let other = rollcall.token("attendance:write").await;
    let other = snapshot::of(get(&rollcall, &other, REPORT).await).await;
    insta::assert_snapshot!(format!("{none}\n\n{wrong}\n\n{other}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn client_disabled_after_its_token_was_issued_gets_401() {
    let rollcall = Rollcall::start().await;
    let token = rollcall.token(READ).await;
    rollcall
        .database
        .execute("UPDATE api_clients SET disabled_at = now()")
        .await;
    assert_eq!(get(&rollcall, &token, REPORT).await.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn database_that_is_off_or_not_migrated_gets_503() {
    let off = Rollcall::builder()
        .await
        .set(|settings| settings.reporting.database_enabled = false)
        .start();
    let is_off = snapshot::of(get(&off, &off.token(READ).await, REPORT).await).await;
    // The token is issued by a migrated installation that has the same signing key.
    let migrated = Rollcall::start().await;
    let unmigrated = Rollcall::builder_on(TestDatabase::unmigrated().await)
        .set(|settings| {
            let directory = &migrated.settings.auth.key_directory;
            settings.auth.key_directory.clone_from(directory);
        })
        .start();
    let token = migrated.token(READ).await;
    let not_migrated = snapshot::of(get(&unmigrated, &token, REPORT).await).await;
    insta::assert_snapshot!(format!("{is_off}\n\n{not_migrated}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn client_over_its_rate_gets_429_with_the_headers_of_the_rate_limit() {
    let rollcall = Rollcall::builder()
        .await
        .set(|settings| settings.reporting.requests_burst = std::num::NonZeroU32::MIN)
        .set(|settings| settings.reporting.requests_per_second = std::num::NonZeroU32::MIN)
        .start();
    let token = rollcall.token(READ).await;
    let path = format!("{REPORT}&user=one");
    let rejected = async || {
        for _ in 0..1_000 {
            let answer = get(&rollcall, &token, &path).await;
            if answer.status() != 200 {
                return Some(answer);
            }
        }
        None
    };
    let rejected = rejected().await.expect("a rejected request");
    assert_eq!(
        rejected.headers()["ratelimit-policy"],
        r#""client";q=1;w=1"#
    );
    insta::assert_snapshot!(snapshot::of(rejected).await);
}
