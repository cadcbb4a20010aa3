//! Commands for the name rules of a source.

mod common;

use std::process::Output;

use rollcall_test_support::Rollcall;
use serde_json::{Value, json};

use common::{error, run};

const RULES: [&str; 3] = ["split=down_level", "map_realm=CORP:Corp", "lower_case=user"];

const LOG: &str = "Jan  2 09:00:01 gw sshd[7]: Accepted password for CORP\\Tim from 203.0.113.5 \
    port 1 ssh2\n\
    Jan  2 17:00:01 gw sshd[7]: pam_unix(sshd:session): session closed for user CORP\\Tim\n";

fn source(rollcall: &Rollcall, arguments: &[&str], input: &str) -> Output {
    let arguments = [&["--json", "source"], arguments].concat();
    run(rollcall, "operator", &arguments, input)
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", error(output)))
}

fn set_names(rollcall: &Rollcall, name: &str, rules: &[&str]) -> Value {
    let arguments = [&["set-names", name], rules].concat();
    json_of(&source(rollcall, &arguments, ""))
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_set_listed_and_removed() {
    let rollcall = Rollcall::start().await;
    let name = rollcall.source().await;
    let listed = || json_of(&source(&rollcall, &["list"], ""))[0]["name_rules"].clone();
    assert_eq!(listed(), json!([]));
    let set = set_names(&rollcall, &name, &RULES);
    assert_eq!(set, json!({"name": name, "name_rules": RULES}));
    assert_eq!(listed(), json!(RULES));
    set_names(&rollcall, &name, &["--none"]);
    assert_eq!(listed(), json!([]));
    let actions = "SELECT action AS text FROM audit_log";
    let actions = rollcall.database.texts(actions).await;
    assert_eq!(actions, ["source.set-names"; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_rule_is_rejected_and_the_error_says_what_is_accepted() {
    let rollcall = Rollcall::start().await;
    let name = rollcall.source().await;
    for arguments in [
        &["split=mail"][..],
        &["map_realm=CORP"],
        &[],
        &["split=upn", "--none"],
    ] {
        let output = source(&rollcall, &[&["set-names", &name], arguments].concat(), "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    let output = source(&rollcall, &["set-names", &name, "split=mail"], "");
    let error = error(&output);
    assert!(error.contains("must be split=FORM"), "{error}");
    let unknown = source(&rollcall, &["set-names", "nowhere", "split=upn"], "");
    assert_eq!(unknown.status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn try_rules_shows_the_names_that_would_be_recorded() {
    let rollcall = Rollcall::start().await;
    let name = rollcall.source().await;
    set_names(&rollcall, &name, &RULES);
    let change = |options: &[&str]| {
        let arguments = [&["try-rules"], options].concat();
        json_of(&source(&rollcall, &arguments, LOG))["names"].clone()
    };
    let change_to = |to: &str| {
        let change = format!(r"CORP\Tim -> {to}");
        json!([{"lines": 2, "first_line": 1, "change": change}])
    };
    assert_eq!(change(&[]), json!([]));
    assert_eq!(change(&["--source", &name]), change_to("tim (realm Corp)"));
    let tried = ["--source", &name, "--name-rule", "strip=down_level"];
    assert_eq!(change(&tried), change_to("Tim"));
}

#[tokio::test(flavor = "multi_thread")]
async fn import_records_the_names_and_a_change_of_rules_makes_duplicates() {
    let rollcall = Rollcall::start().await;
    let name = rollcall.source().await;
    let log = "User Name,Domain,Login Time,Logout Time\n\
        CORP\\Tim,,2025-01-01 15:30:00,2025-01-01 21:10:00\n";
    let import = || {
        let arguments = ["--json", "import", "--source", &name, "log.csv"];
        json_of(&run(&rollcall, "ingestion", &arguments, log))
    };
    set_names(&rollcall, &name, &RULES);
    assert_eq!(import()["accepted_events"], 2);
    set_names(&rollcall, &name, &["strip=down_level"]);
    assert_eq!(import()["duplicate_events"], 2);
    let names = "SELECT concat_ws(', ', user_name, realm, reported_user) AS text FROM events";
    let names = rollcall.database.texts(names).await;
    assert_eq!(names, [r"tim, Corp, CORP\Tim"; 2]);
}
