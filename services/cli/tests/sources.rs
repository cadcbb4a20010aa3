//! Commands for sources.

mod common;
#[path = "common/json.rs"]
mod json;

use rollcall_test_support::Rollcall;
use serde_json::{Value, json};

use common::{error, run};
use json::run_json;

fn source_list(rollcall: &Rollcall) -> Value {
    run_json(rollcall, "operator", &["source", "list"]).0
}

#[tokio::test(flavor = "multi_thread")]
async fn event_that_was_set_aside_is_listed_and_replayed() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    let refuse = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'no reason that is known'; END $$";
    rollcall.database.execute(refuse).await;
    let trigger =
        "CREATE TRIGGER poison BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse()";
    rollcall.database.execute(trigger).await;
    let event = json!({
        "event_id": "1",
        "type": "login",
        "session_id": "s",
        "user": "user_4",
        "occurred_at": "2025-02-13T10:00:00Z",
    });
    assert_eq!(rollcall.send(&source, &event).await.status(), 200);
    assert_eq!(source_list(&rollcall)[0]["set_aside"], 1);
    let replay = || run_json(&rollcall, "ingestion", &["source", "replay", &source]);
    let (refused, code) = replay();
    assert_eq!(
        (&refused["replayed"], &refused["still_refused"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(code, Some(1));
    let drop_trigger = "DROP TRIGGER poison ON events";
    rollcall.database.execute(drop_trigger).await;
    let (replayed, code) = replay();
    assert_eq!(
        (&replayed["replayed"], &replayed["still_refused"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(code, Some(0));
    assert_eq!(source_list(&rollcall)[0]["set_aside"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_complete_through_is_reset() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    let event = |id: &str, complete_through: &str| {
        json!({
            "event_id": id,
            "type": "restart",
            "occurred_at": "2025-02-13T10:00:00Z",
            "complete_through": complete_through,
        })
    };
    let complete_through = || source_list(&rollcall)[0]["complete_through"].clone();
    let far = event("1", "9999-12-30T00:00:00Z");
    let far: Value = rollcall
        .send(&source, &far)
        .await
        .json()
        .await
        .expect("JSON");
    assert_eq!(far["rejected"][0]["field"], "complete_through");
    rollcall
        .send(&source, &event("2", "2025-02-13T10:50:00Z"))
        .await;
    assert_eq!(complete_through(), "2025-02-13T10:50:00Z");
    run_json(
        &rollcall,
        "operator",
        &["source", "reset-complete-through", &source],
    );
    assert_eq!(complete_through(), Value::Null);
    rollcall
        .send(&source, &event("3", "2025-02-13T08:00:00Z"))
        .await;
    assert_eq!(complete_through(), "2025-02-13T08:00:00Z");
    let noted = "SELECT action AS text FROM audit_log";
    assert_eq!(
        rollcall.database.texts(noted).await,
        ["source.reset-complete-through"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn command_that_disconnects_a_source_requires_yes_without_a_terminal() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    for command in ["disable", "rotate-key", "rotate-radius-secret"] {
        let output = run(&rollcall, "operator", &["source", command, &source], "");
        let error = error(&output);
        assert!(error.contains("Give --yes"), "{command}: {error}");
        assert_eq!(output.status.code(), Some(2), "{command}");
    }
    assert_eq!(source_list(&rollcall)[0]["disabled_at"], Value::Null);
    run_json(
        &rollcall,
        "operator",
        &["source", "disable", &source, "--yes"],
    );
    assert_ne!(source_list(&rollcall)[0]["disabled_at"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn source_network_is_removed_only_with_confirmation() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    let set = |networks: &[&str]| {
        let arguments = [&["source", "set-networks", &source], networks].concat();
        let output = run(&rollcall, "operator", &arguments, "");
        (output.status.code(), error(&output))
    };
    assert_eq!(set(&["192.0.2.7"]).0, Some(0));
    let (code, asked) = set(&["198.51.100.7"]);
    assert_eq!(code, Some(2));
    assert!(asked.contains("RADIUS from 192.0.2.7/32."), "{asked}");
    // The network contains the address, so nothing is removed.
    assert_eq!(set(&["192.0.2.0/28"]).0, Some(0));
    let (code, rejected) = set(&["192.0.2.2/24"]);
    assert_eq!(code, Some(2));
    assert!(rejected.contains("must be 192.0.2.0/24"), "{rejected}");
    assert_eq!(set(&["--yes"]).0, Some(0));
    assert_eq!(source_list(&rollcall)[0]["networks"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_prints_the_new_key_alone() {
    let rollcall = Rollcall::start().await;
    let output = run(
        &rollcall,
        "operator",
        &["--quiet", "source", "add", "vpn-1"],
        "",
    );
    let key = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(
        key.len(),
        44,
        "43 characters and a line end: {}",
        error(&output)
    );
    let event = json!({
        "event_id": "1",
        "type": "restart",
        "occurred_at": "2025-02-13T10:00:00Z",
    });
    let url = format!("http://{}/api/v1/ingestion/events", rollcall.ingestion);
    let request = rollcall.http.post(url).bearer_auth(key.trim()).json(&event);
    assert_eq!(request.send().await.expect("a response").status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn radius_source_without_a_network_is_rejected() {
    let rollcall = Rollcall::start().await;
    let output = run(
        &rollcall,
        "operator",
        &["source", "add", "vpn-1", "--radius"],
        "",
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(error(&output).contains("--radius requires --network"));
}

#[tokio::test(flavor = "multi_thread")]
async fn error_is_json_with_json() {
    let rollcall = Rollcall::start().await;
    let arguments = ["--json", "--yes", "source", "disable", "nowhere"];
    let output = run(&rollcall, "operator", &arguments, "");
    let error: Value = serde_json::from_slice(&output.stderr).expect("JSON");
    let message = error["error"].as_str().expect("a message");
    assert!(message.contains("no source named nowhere"), "{message}");
    assert_eq!(output.status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn try_rules_shows_what_the_rules_make_of_a_log() {
    let rollcall = Rollcall::start().await;
    let log = "Jan  2 09:00:01 gw sshd[7]: Accepted password for asha from 203.0.113.5 port 1 ssh2\n\
        Jan  2 09:00:02 gw sshd[8]: Failed password for bert from 203.0.113.6 port 2 ssh2\n\
        Jan  3 10:00:02 gw sshd[99]: Failed password for bert from 2001:db8::5 port 51234 ssh2\n\
        Jan  2 17:00:01 gw sshd[7]: pam_unix(sshd:session): session closed for user asha\n\
        Jan  2 09:00:03 gw openvpn: [UNDEF] Peer Connection Initiated with [AF_INET]192.0.2.7:1\n\
        nonsense\n";
    let arguments = ["source", "try-rules", "--time-zone", "Asia/Kolkata"];
    let json = run(
        &rollcall,
        "operator",
        &[&["--json"], &arguments[..]].concat(),
        log,
    );
    let found: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(json.status.code(), Some(1), "a line is refused");
    assert_eq!(found["lines"], 6);
    assert_eq!(found["event_lines"], "2 (33.3 %)");
    assert_eq!(found["ignored_lines"], "1 (16.6 %)");
    assert_eq!(found["rules"][1]["rule"], "sshd-login");
    let session = &found["sessions"][0];
    let login_at = session["login_at"].as_str().expect("a time");
    assert!(login_at.ends_with("-01-02T03:30:01Z"), "{session}");
    assert!(
        session["logout_at"]
            .as_str()
            .is_some_and(|at| at.ends_with("11:30:01Z"))
    );
    assert_eq!(found["unmatched"][0]["lines"], 2);
    assert_eq!(found["unmatched"][0]["first_line"], 2);
    assert_eq!(found["rejected"][0]["first_line"], 6);
    let text = run(
        &rollcall,
        "operator",
        &[&arguments[..], &["--all"]].concat(),
        log,
    );
    let text = String::from_utf8_lossy(&text.stdout);
    for part in [
        "Rules that took lines",
        "Events",
        "sshd-logout",
        "203.0.113.5",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let width = text.lines().map(|line| line.chars().count()).max();
    assert!(width.is_some_and(|width| width <= 120), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn source_with_networks_is_assumed_complete_after_a_day() {
    let rollcall = Rollcall::start().await;
    let settings = |name: &str| {
        let sources = source_list(&rollcall);
        let mut sources = sources.as_array().expect("sources").iter();
        let source = sources.find(|source| source["name"] == name);
        let source = source.expect("the source");
        let seconds = &source["assume_complete_seconds"];
        let is_assumed = !seconds.is_null() && source["imports_only"] == false;
        assert_eq!(source["complete_through"].is_string(), is_assumed);
        json!([seconds, source["imports_only"]])
    };
    let command = |arguments: &[&str]| {
        let output = run(
            &rollcall,
            "operator",
            &[&["source"], arguments].concat(),
            "",
        );
        assert!(output.status.success(), "{}", error(&output));
    };
    command(&["add", "http"]);
    assert_eq!(settings("http"), json!([null, false]));
    command(&["add", "syslog", "--network", "192.0.2.7"]);
    assert_eq!(settings("syslog"), json!([86_400, false]));
    let explicit = [
        "add",
        "stated",
        "--network",
        "192.0.2.8",
        "--assume-complete-after",
        "0",
    ];
    command(&explicit);
    assert_eq!(settings("stated"), json!([null, false]));
    command(&[
        "add",
        "log",
        "--imports-only",
        "--assume-complete-after",
        "36h",
    ]);
    assert_eq!(settings("log"), json!([129_600, true]));
    command(&[
        "set",
        "log",
        "--imports-only",
        "false",
        "--assume-complete-after",
        "60",
    ]);
    assert_eq!(settings("log"), json!([60, false]));
    // The first network changes nothing that was set, a further one nothing at all.
    command(&["set-networks", "log", "192.0.2.9"]);
    assert_eq!(settings("log"), json!([60, false]));
    command(&["set-networks", "http", "192.0.2.10"]);
    assert_eq!(settings("http"), json!([86_400, false]));
    command(&["set", "http", "--assume-complete-after", "0"]);
    command(&["set-networks", "http", "192.0.2.10", "192.0.2.11"]);
    assert_eq!(settings("http"), json!([null, false]));
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_settings_of_a_source_are_named_with_their_effect() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    let set = |options: &[&str]| {
        let arguments = [&["source", "set", &source], options].concat();
        let output = run(&rollcall, "operator", &arguments, "");
        String::from_utf8_lossy(&output.stdout).into_owned() + &error(&output)
    };
    let one = set(&["--assume-complete-after", "60"]);
    assert!(one.contains("Completeness updated."), "{one}");
    assert!(!one.contains("Time zone") && !one.contains("interval"));
    let imports = set(&["--imports-only", "true"]);
    assert!(imports.contains("Imports-only updated."), "{imports}");
    assert!(!imports.contains("Completeness"), "{imports}");
    let both = set(&["--time-zone", "Asia/Kolkata", "--interim-interval", "60"]);
    assert!(both.contains("Time zone updated.") && both.contains("Interim interval updated."));
    assert!(!both.contains("Completeness"), "{both}");
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_setting_of_a_source_is_refused() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    for (option, value, message) in [
        ("--assume-complete-after", "-1", "from 0 to"),
        ("--assume-complete-after", "1.5", "from 0 to"),
        ("--assume-complete-after", "400d", "from 0 to"),
        ("--assume-complete-after", "9999h", "from 0 to"),
        ("--imports-only", "perhaps", "true, false"),
    ] {
        let argument = format!("{option}={value}");
        let output = run(
            &rollcall,
            "operator",
            &["source", "set", &source, &argument],
            "",
        );
        assert_eq!(output.status.code(), Some(2), "{option} {value}");
        assert!(error(&output).contains(message), "{}", error(&output));
    }
    let nothing = run(&rollcall, "operator", &["source", "set", &source], "");
    assert!(error(&nothing).contains("--imports-only"));
}
