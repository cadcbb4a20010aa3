//! Spans of a sign-in.

use rollcall_test_support::{Rollcall, Spans};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn trace_of_a_sign_in_shows_database_hashing_signature_and_redis() {
    let spans = Spans::record();
    let rollcall = Rollcall::start().await;
    let (username, password) = rollcall.client("reporting:read").await;
    let url = format!("http://{}/api/v1/auth/connect", rollcall.auth);
    let body = json!({"username": username, "password": password});
    let response = rollcall.http.post(url).json(&body).send().await;
    assert_eq!(response.expect("a response").status(), 200);
    spans.assert_contain(&[
        "sign_in/database.sign_ins.look_up",
        "sign_in/database.sign_ins.begin",
        "sign_in/password.verify/password.hash",
        "sign_in/database.sign_ins.succeeded",
        "token.issue/token.sign",
        "token.issue/redis.add",
    ]);
}
