//! Scripts and command line of the operator.

use std::process::Command;

use rollcall_stack_tests::{
    JSON_FROM_STDIN, api_client, compose, curl, eventually, psql, report, rollcall_json, root,
    run_script, script, send, source, token, url,
};
use serde_json::{Value, json};

/// Signs in as a client that the command line printed. Returns the HTTP status.
fn sign_in_status(client: &Value) -> u16 {
    let body = json!({"username": client["username"], "password": client["password"]}).to_string();
    curl("/api/v1/auth/connect", &JSON_FROM_STDIN, &body).status
}

/// Asserts that a script fails for these arguments with a message on standard error.
fn assert_rejected(script: &str, arguments: &[&str], message: &str) {
    let output = run_script(script, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{script} {arguments:?}");
    assert!(error.contains(message), "{script} {arguments:?}: {error}");
}

#[test]
fn client_password_is_accepted_until_it_is_rotated_or_the_client_disabled() {
    let added = rollcall_json(&["client", "add"]);
    let (name, password) = (
        added["username"].as_str().expect("a name"),
        added["password"].as_str().expect("a password"),
    );
    assert_eq!((name.len(), password.len()), (20, 24));
    assert!(
        password
            .chars()
            .any(|character| !character.is_ascii_alphanumeric())
    );
    assert_eq!(sign_in_status(&added), 200);
    let rotated = rollcall_json(&["client", "rotate", name, "--yes"]);
    assert_eq!(
        (sign_in_status(&added), sign_in_status(&rotated)),
        (401, 200)
    );
    let listed = rollcall_json(&["client", "list"]);
    let listed = listed
        .as_array()
        .expect("clients")
        .iter()
        .find(|client| client["name"] == name)
        .expect("the client");
    assert!(
        !listed.to_string().contains("password") && listed["scope"] == "reporting:read",
        "{listed}"
    );
    rollcall_json(&["client", "disable", name, "--yes"]);
    assert_eq!(sign_in_status(&rotated), 401);
}

#[test]
fn source_key_is_accepted_until_it_is_rotated_or_the_source_disabled() {
    let name = format!("gateway-{}", uuid::Uuid::new_v4());
    let key = |source: &Value| source["key"].as_str().expect("a key").to_owned();
    let first = key(&rollcall_json(&["source", "add", &name]));
    assert_eq!(send(&first, &json!([])).status, 200);
    let second = key(&rollcall_json(&["source", "rotate-key", &name, "--yes"]));
    eventually("the rejection of the first key", || {
        send(&first, &json!([])).status == 401
    });
    assert_eq!(send(&second, &json!([])).status, 200);
    let text = script("rollcall", &["source", "list"]);
    assert!(text.contains(&name) && !text.contains(&second), "{text}");
    rollcall_json(&["source", "disable", &name, "--yes"]);
    eventually("the rejection of the disabled source", || {
        send(&second, &json!([])).status == 401
    });
}

#[test]
fn session_list_shows_how_each_session_of_a_user_ended() {
    let (key, user) = (source(), uuid::Uuid::new_v4().simple().to_string());
    let event = |number: usize, kind: &str, session: &str, at: &str| {
        json!({
            "event_id": number.to_string(),
            "type": kind,
            "session_id": session,
            "user": user,
            "occurred_at": at,
        })
    };
    let events = json!([
        event(1, "login", "a", "2025-01-01T08:00:00Z"),
        event(2, "login", "b", "2025-01-01T09:00:00Z"),
        event(3, "logout", "b", "2025-01-01T10:00:00Z"),
        {"event_id": "4", "type": "restart", "occurred_at": "2025-01-01T12:00:00Z"},
        event(5, "login", "c", "2025-01-01T13:00:00Z"),
    ]);
    assert_eq!(send(&key, &events).status, 200);
    let list = rollcall_json(&[
        "session",
        "list",
        &user.to_uppercase(),
        "--from",
        "2025-01-01",
        "--to",
        "2025-01-01",
    ]);
    let rows = list.as_array().expect("rows");
    let end_reasons: Vec<&Value> = rows.iter().map(|row| &row["end_reason"]).collect();
    assert_eq!(json!(end_reasons), json!(["restart", "logout", "timeout"]));
    let text = script(
        "rollcall",
        &[
            "session",
            "list",
            &user,
            "--from",
            "2025-02-01",
            "--to",
            "2025-02-01",
        ],
    );
    assert!(text.contains("There is no session"), "{text}");
}

#[test]
fn invalid_arguments_are_rejected_with_a_message() {
    for (arguments, message) in [
        (
            vec!["client", "rotate", "unknown", "--yes"],
            "There is no API client named unknown",
        ),
        (vec!["client", "add", "--name", "a b"], "NAME must be"),
        (
            vec!["client", "add", "--scope", "everything"],
            "reporting:read",
        ),
        (
            vec!["source", "disable", "nowhere", "--yes"],
            "There is no source named nowhere",
        ),
        (vec!["source", "add", ""], "NAME must be"),
        (
            vec!["source", "disable", "nowhere"],
            "There is no source named nowhere",
        ),
    ] {
        assert_rejected("rollcall", &arguments, message);
    }
    for (arguments, message) in [
        (
            vec!["--local-network-ip", "203.0.113.7"],
            "must be an IPv4 address of this host (got \"203.0.113.7\")",
        ),
        (
            vec!["--local-network-ip", "localhost"],
            "must be an IPv4 address of this host (got \"localhost\")",
        ),
        (vec!["--port", "0"], "--port must be 1 to 65535 (got 0)"),
        (vec!["--colour", "blue"], "takes --local-network-ip IP"),
    ] {
        assert_rejected("up", &arguments, message);
    }
}

#[test]
fn up_rejects_a_port_that_is_in_use() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let message = format!("port {port} of 127.0.0.1 is taken");
    assert_rejected("up", &["--port", &port], &message);
}

#[test]
fn up_on_a_running_stack_prints_the_url_and_the_calls_for_a_report() {
    let first = script("up", &[]);
    for text in [
        &url(),
        "first client   .rollcall/first-client.json",
        "TOKEN=$(curl",
        "/api/v1/reporting/sessions",
    ] {
        assert!(first.contains(text), "{text}: {first}");
    }
    let mode = std::fs::metadata(root().join(".rollcall/first-client.json")).expect("the file");
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o777,
        0o600
    );
    assert!(script("status", &[]).contains("VIP         answers"));
}

#[test]
fn tokens_of_both_keys_are_accepted_when_the_signing_key_is_rotated() {
    let client = api_client(&["reporting:read"]);
    let before = token(&client);
    assert!(script("rollcall", &["key", "rotate"]).contains("A new key is published"));
    let keys = curl("/.well-known/jwks.json", &[], "").json();
    assert!(
        keys["keys"].as_array().is_some_and(|keys| keys.len() >= 2),
        "{keys}"
    );
    for token in [before, token(&client)] {
        assert_eq!(report(&token, "2025-01-01", "2025-01-01").status, 200);
    }
}

#[test]
fn audit_entry_names_the_operator_who_used_sudo() {
    let name = format!("client-{}", uuid::Uuid::new_v4());
    let script = root().join("scripts/rollcall");
    let added = Command::new(script)
        .args(["client", "add", "--name", &name])
        .env("SUDO_USER", "alice")
        .output()
        .expect("a shell");
    assert!(added.status.success(), "{added:?}");
    let entry = format!("SELECT detail->>'person' FROM audit_log WHERE detail->>'name' = '{name}'");
    assert_eq!(psql(&entry), "alice");
}

#[test]
fn status_shows_why_a_service_is_unhealthy() {
    compose(&["stop", "redis"]);
    let reason = || {
        let output = run_script("status", &[]);
        assert!(!output.status.success());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text.lines().find(|line| line.starts_with("reporting"));
        line.and_then(|line| Some(line.split_once("running, unhealthy: ")?.1.trim().to_owned()))
    };
    eventually("an unhealthy service", || reason().is_some());
    let reason = reason();
    // `up` starts Redis and waits until the services that need it are healthy again.
    script("up", &[]);
    assert!(reason.is_some_and(|reason| reason.len() > 10));
    script("status", &[]);
}

#[test]
fn project_of_another_folder_is_left_alone() {
    let other = root().with_file_name("other");
    let copy = "rm -rf \"$2\" && mkdir \"$2\" && cd \"$1\" &&
        cp -r .env compose.yaml docker rust-toolchain.toml scripts \"$2\"";
    let copied = Command::new("bash")
        .args(["-euc", copy, "bash"])
        .args([root(), other.clone()])
        .status();
    assert!(copied.expect("bash").success());
    for name in ["up", "down", "replace", "rotate-passwords"] {
        let output = Command::new(other.join("scripts").join(name)).output();
        let output = output.expect("a shell");
        let error = String::from_utf8_lossy(&output.stderr);
        let message = format!("belongs to another folder: {}", root().display());
        assert!(error.contains(&message), "{name}: {error}");
        assert_eq!(output.status.code(), Some(1), "{name}");
    }
    std::fs::remove_dir_all(&other).expect("removed");
    script("status", &[]);
}

/// The content of .env, which is written back when this value is dropped.
struct SettingsBefore(String);

impl SettingsBefore {
    fn read() -> Self {
        Self(std::fs::read_to_string(root().join(".env")).expect(".env"))
    }
}

impl Drop for SettingsBefore {
    fn drop(&mut self) {
        std::fs::write(root().join(".env"), &self.0).expect("written");
    }
}

#[test]
fn invalid_settings_are_rejected_before_anything_is_changed() {
    let before = SettingsBefore::read();
    for arguments in [
        &["--time-zone", "Mars/X", "--check"][..],
        &["--time-zone", "Mars/X"],
    ] {
        assert_rejected("up", arguments, "(got \"Mars/X\")");
    }
    assert_eq!(SettingsBefore::read().0, before.0);
    let wrong = before.0.clone() + "ROLLCALL_RETENTION__EVENTS_DAYS=abc\n";
    std::fs::write(root().join(".env"), &wrong).expect("written");
    let line = "the line ROLLCALL_RETENTION__EVENTS_DAYS in .env";
    for arguments in [&["--check"][..], &["--time-zone", "Asia/Tokyo"]] {
        assert_rejected("up", arguments, line);
    }
    assert_eq!(SettingsBefore::read().0, wrong);
    let status = run_script("status", &[]);
    let text = String::from_utf8_lossy(&status.stdout);
    assert!(text.contains(line), "{text}");
    assert_eq!(status.status.code(), Some(1));
}

#[test]
fn up_with_a_changed_setting_starts_a_redis_that_was_stopped() {
    let before = SettingsBefore::read();
    compose(&["stop", "redis"]);
    let changed = before.0.clone() + "ROLLCALL_REPORTING__STREAM_SECONDS=901\n";
    std::fs::write(root().join(".env"), changed).expect("written");
    let up = run_script("up", &[]);
    // The other tests need Redis.
    compose(&["start", "redis"]);
    let error = String::from_utf8_lossy(&up.stderr);
    assert!(up.status.success(), "{error}");
}

#[test]
fn status_names_a_rule_file_that_is_invalid() {
    let file = root().join(".rollcall/rules/invalid.toml");
    std::fs::write(&file, "[[rule]]\nname = \"login\"\n").expect("written");
    let status = run_script("status", &[]);
    std::fs::remove_file(&file).expect("removed");
    let text = String::from_utf8_lossy(&status.stdout);
    assert!(
        text.contains("rules       /etc/rollcall/rules/invalid.toml: line "),
        "{text}"
    );
    assert_eq!(status.status.code(), Some(1));
}

#[test]
fn too_many_replicas_are_reported_and_rejected() {
    let scale = |replicas: &str| {
        compose(&[
            "up",
            "--detach",
            "--no-recreate",
            "--scale",
            replicas,
            "maintenance",
        ]);
    };
    scale("maintenance=4");
    let status = run_script("status", &[]);
    let up = run_script("up", &[]);
    scale("maintenance=1");
    let text = String::from_utf8_lossy(&status.stdout);
    assert!(text.contains("maintenance 4 replicas, at most 3"), "{text}");
    let error = String::from_utf8_lossy(&up.stderr);
    assert!(error.contains("--scale maintenance=3"), "{error}");
    assert_eq!((status.status.code(), up.status.code()), (Some(1), Some(1)));
}

#[test]
fn command_line_help_lists_every_command() {
    let help = script("rollcall", &["--help"]);
    for command in ["client add", "source rotate-key", "key rotate", "import"] {
        assert!(help.contains(command), "{command}: {help}");
    }
}

#[test]
fn quiet_prints_the_source_key_alone() {
    let name = format!("gateway-{}", uuid::Uuid::new_v4());
    let key = script("rollcall", &["--quiet", "source", "add", &name]);
    assert_eq!(send(key.trim(), &json!([])).status, 200);
}

#[test]
fn import_reports_on_standard_output_and_writes_rejected_rows() {
    let name = format!("import-{}", uuid::Uuid::new_v4());
    rollcall_json(&["source", "add", &name]);
    let file = rollcall_stack_tests::root().join(format!(".rollcall/{name}.csv"));
    let log = "user,login,logout\nasha,2025-01-01 09:00:00,-\nben,yesterday,-\n";
    std::fs::write(&file, log).expect("a log");
    let path = file.to_str().expect("a path");
    let output = run_script("rollcall", &["--json", "import", path, "--source", &name]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let summary: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (&summary["accepted_events"], &summary["rejected_rows"]),
        (&json!(1), &json!(1))
    );
    let rejects = std::fs::read_to_string(format!("{path}.rejects.csv")).expect("the rejects");
    assert!(rejects.contains("3,login,"), "{rejects}");
    assert!(rejects.contains("ben,yesterday,-"), "{rejects}");
    for file in [path.to_owned(), format!("{path}.rejects.csv")] {
        std::fs::remove_file(file).expect("removed");
    }
    let id = summary["import"].to_string();
    let undone = rollcall_json(&["import", "undo", &id, "--yes"]);
    assert_eq!(undone["withdrawn_events"], 1);
    let list = rollcall_json(&["import", "list"]);
    assert_eq!(list[0]["file"], format!("{name}.csv"));
}

#[test]
fn scripts_print_their_usage_and_reject_unknown_flags() {
    for name in [
        "up",
        "down",
        "status",
        "backup",
        "restore",
        "rotate-passwords",
        "demo",
        "forwarder",
    ] {
        assert!(
            script(name, &["--help"]).contains("Usage: scripts/"),
            "{name}"
        );
        assert_rejected(name, &["--colour"], "takes");
        let code = run_script(name, &["--colour"]).status.code();
        assert_eq!(code, Some(2), "{name}");
    }
}
