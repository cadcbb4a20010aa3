//! Commands for API clients.

mod common;

use rollcall_test_support::Rollcall;
use serde_json::{Value, json};

use common::{error, run};

#[tokio::test(flavor = "multi_thread")]
async fn client_with_a_printed_password_can_sign_in_until_it_is_disabled() {
    let rollcall = Rollcall::start().await;
    let output = run(&rollcall, "operator", &["--json", "client", "add"], "");
    let client: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let sign_in = async || {
        let url = format!("http://{}/api/v1/auth/connect", rollcall.auth);
        let request = rollcall.http.post(url).json(&client);
        request.send().await.expect("a response").status()
    };
    assert_eq!(sign_in().await, 200);
    let name = client["username"].as_str().expect("a name");
    run(
        &rollcall,
        "operator",
        &["client", "disable", name, "--yes"],
        "",
    );
    assert_eq!(sign_in().await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_requires_a_name_and_prints_the_password_alone() {
    let rollcall = Rollcall::start().await;
    let output = run(&rollcall, "operator", &["client", "add", "--quiet"], "");
    assert_eq!(output.status.code(), Some(2), "{}", error(&output));
    let arguments = ["client", "add", "--quiet", "payroll"];
    let output = run(&rollcall, "operator", &arguments, "");
    let password = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(password.trim().len(), 24, "{password}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_name_is_a_usage_error_that_says_what_is_accepted() {
    let rollcall = Rollcall::start().await;
    let output = run(
        &rollcall,
        "operator",
        &["client", "add", "--name", "a b"],
        "",
    );
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        json!(error(&output)),
        json!(
            "error: NAME must be 1 to 64 letters, digits or characters of \"-_.@\" (got \"a b\").\n"
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_client_is_an_error_before_any_confirmation() {
    let rollcall = Rollcall::start().await;
    for command in ["disable", "rotate"] {
        let output = run(&rollcall, "operator", &["client", command, "nosuch"], "");
        let error = error(&output);
        assert!(error.contains("no API client named nosuch"), "{error}");
        assert_eq!(output.status.code(), Some(1), "{command}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unlock_says_that_a_disabled_client_stays_disabled() {
    let rollcall = Rollcall::start().await;
    let unlock = || {
        let arguments = ["client", "unlock", "payroll"];
        let output = run(&rollcall, "operator", &arguments, "");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    run(&rollcall, "operator", &["client", "add", "payroll"], "");
    assert!(!unlock().contains("still disabled"));
    let disable = ["client", "disable", "payroll", "--yes"];
    run(&rollcall, "operator", &disable, "");
    assert!(unlock().contains("still disabled"));
}
