//! The operator's scripts and command line.

use rollcall_stack_tests::{eventually, run_script, script, send, token};
use serde_json::{Value, json};

fn rollcall(arguments: &[&str]) -> Value {
    let mut all = vec!["--json"];
    all.extend(arguments);
    serde_json::from_str(&script("rollcall", &all)).expect("JSON")
}

fn status(client: &Value) -> u16 {
    let body = json!({"username": client["username"], "password": client["password"]}).to_string();
    rollcall_stack_tests::curl(
        "/api/v1/auth/connect",
        &["-H", "Content-Type: application/json", "-d", "@-"],
        &body,
    )
    .status
}

#[test]
fn a_client_is_added_rotated_and_disabled() {
    let added = rollcall(&["client", "add"]);
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
    assert_eq!(status(&added), 200);
    let rotated = rollcall(&["client", "rotate", name]);
    assert_eq!((status(&added), status(&rotated)), (401, 200));
    let listed = rollcall(&["client", "list"]);
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
    rollcall(&["client", "disable", name]);
    assert_eq!(status(&rotated), 401);
}

#[test]
fn a_source_is_added_rotated_and_disabled() {
    let name = format!("gateway-{}", uuid::Uuid::new_v4());
    let key = |source: &Value| source["key"].as_str().expect("a key").to_owned();
    let first = key(&rollcall(&["source", "add", &name]));
    assert_eq!(send(&first, &json!([])).status, 200);
    let second = key(&rollcall(&["source", "rotate-key", &name]));
    eventually("the end of the first key", || {
        send(&first, &json!([])).status == 401
    });
    assert_eq!(send(&second, &json!([])).status, 200);
    let text = script("rollcall", &["source", "list"]);
    assert!(text.contains(&name) && !text.contains(&second), "{text}");
    rollcall(&["source", "disable", &name]);
    eventually("the end of the source", || {
        send(&second, &json!([])).status == 401
    });
}

#[test]
fn a_users_sessions_are_shown_with_how_each_ended() {
    let (key, user) = (
        rollcall_stack_tests::source(),
        uuid::Uuid::new_v4().simple().to_string(),
    );
    let event = |number: usize, kind: &str, session: &str, at: &str| json!({"event_id": number.to_string(), "type": kind, "session_id": session, "user": user, "occurred_at": at});
    let events = json!([
        event(1, "login", "a", "2025-01-01T08:00:00Z"),
        event(2, "login", "b", "2025-01-01T09:00:00Z"),
        event(3, "logout", "b", "2025-01-01T10:00:00Z"),
        {"event_id": "4", "type": "restart", "occurred_at": "2025-01-01T12:00:00Z"},
        event(5, "login", "c", "2025-01-01T13:00:00Z"),
    ]);
    assert_eq!(send(&key, &events).status, 200);
    eventually("the sweeper", || {
        let list = rollcall(&[
            "session",
            "list",
            &user.to_uppercase(),
            "--from",
            "2025-01-01",
            "--to",
            "2025-01-01",
        ]);
        let ended: Vec<&Value> = list
            .as_array()
            .expect("rows")
            .iter()
            .map(|row| &row["ended"])
            .collect();
        json!(ended) == json!(["restart", "stated", "inferred"])
    });
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
fn errors_say_what_to_do() {
    for (arguments, message) in [
        (
            vec!["client", "rotate", "nobody"],
            "there is no API client named nobody",
        ),
        (vec!["client", "add", "--name", "a b"], "--name: got"),
        (
            vec!["client", "add", "--scope", "everything"],
            "reporting:read",
        ),
        (
            vec!["source", "disable", "nowhere"],
            "there is no source named nowhere",
        ),
        (vec!["source", "add", ""], "NAME: got"),
    ] {
        let output = run_script("rollcall", &arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && error.contains(message),
            "{arguments:?}: {error}"
        );
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
        let output = run_script("up", &arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && error.contains(message),
            "{arguments:?}: {error}"
        );
    }
}

#[test]
fn a_taken_port_is_found_before_anything_is_started() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let output = run_script("up", &["--port", &port]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && error.contains(&format!("port {port} of 127.0.0.1 is taken")),
        "{error}"
    );
}

#[test]
fn up_again_changes_nothing_and_says_the_same() {
    let first = script("up", &[]);
    assert!(
        first.contains(&rollcall_stack_tests::url())
            && first.contains(".rollcall/first-client.json"),
        "{first}"
    );
    let mode = std::fs::metadata(rollcall_stack_tests::root().join(".rollcall/first-client.json"))
        .expect("the file");
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o777,
        0o600
    );
    assert!(script("status", &[]).contains("VIP        answers"));
}

#[test]
fn a_key_is_rotated_without_a_refused_request() {
    let client = rollcall_stack_tests::api_client(&["reporting:read"]);
    let before = token(&client);
    assert!(script("rollcall", &["key", "rotate"]).contains("a new key is published"));
    let keys = rollcall_stack_tests::curl("/.well-known/jwks.json", &[], "").json();
    assert!(
        keys["keys"].as_array().is_some_and(|keys| keys.len() >= 2),
        "{keys}"
    );
    for token in [before, token(&client)] {
        assert_eq!(
            rollcall_stack_tests::report(&token, "2025-01-01", "2025-01-01").status,
            200
        );
    }
}

#[test]
fn the_operators_own_certificate_is_taken_and_given_back() {
    let root = rollcall_stack_tests::root();
    let folder = root.join(".rollcall/tls");
    let script_text = format!(
        "cd {} && openssl req -x509 -newkey rsa:2048 -noenc -days 60 -subj /CN=own -addext subjectAltName=IP:127.0.0.1 -keyout private-key.pem -out certificate.pem 2>/dev/null",
        "/tmp && mkdir own && cd own"
    );
    let pair = rollcall_stack_tests::client(
        &[
            "sh",
            "-c",
            &format!("{script_text} && cat certificate.pem private-key.pem"),
        ],
        "",
    );
    let (certificate, key) = pair.split_once("-----BEGIN PRIVATE").expect("both");
    std::fs::write(folder.join("certificate.pem"), certificate).expect("written");
    let without_key = run_script("up", &[]);
    assert!(
        !without_key.status.success()
            && String::from_utf8_lossy(&without_key.stderr).contains("both needed")
    );
    std::fs::write(
        folder.join("private-key.pem"),
        format!("-----BEGIN PRIVATE{key}"),
    )
    .expect("written");
    script("up", &[]);
    let subject = || {
        rollcall_stack_tests::client(
            &[
                "sh",
                "-c",
                "openssl s_client -connect ${STACK_URL#https://} -CAfile /state/ca.pem -verify_return_error </dev/null 2>/dev/null | openssl x509 -noout -subject",
            ],
            "",
        )
    };
    assert!(subject().contains("own"));
    for file in ["certificate.pem", "private-key.pem"] {
        std::fs::remove_file(folder.join(file)).expect("removed");
    }
    script("up", &[]);
    assert!(subject().contains("Rollcall"));
}

#[test]
fn audit_entries_name_the_person() {
    let name = format!("client-{}", uuid::Uuid::new_v4());
    let script = rollcall_stack_tests::root().join("scripts/rollcall");
    let added = std::process::Command::new(script)
        .args(["client", "add", "--name", &name])
        .env("SUDO_USER", "alice")
        .output()
        .expect("a shell");
    assert!(added.status.success(), "{added:?}");
    let entry = format!("SELECT detail->>'person' FROM audit_log WHERE detail->>'name' = '{name}'");
    assert_eq!(rollcall_stack_tests::psql(&entry), "alice");
}

#[test]
fn status_says_why_a_service_is_unhealthy() {
    rollcall_stack_tests::compose(&["stop", "redis"]);
    let reason = || {
        let output = run_script("status", &[]);
        assert!(!output.status.success());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text.lines().find(|line| line.starts_with("reporting"));
        line.and_then(|line| Some(line.split_once("running, unhealthy: ")?.1.trim().to_owned()))
    };
    eventually("an unhealthy service", || reason().is_some());
    let reason = reason();
    rollcall_stack_tests::compose(&["start", "redis"]);
    assert!(reason.is_some_and(|reason| reason.len() > 10));
    eventually("a healthy stack", || {
        run_script("status", &[]).status.success()
    });
}

#[test]
fn scripts_print_their_usage_and_refuse_what_they_do_not_know() {
    for name in [
        "up",
        "down",
        "status",
        "backup",
        "restore",
        "rotate-passwords",
    ] {
        assert!(
            script(name, &["--help"]).contains("Usage: scripts/"),
            "{name}"
        );
        let output = run_script(name, &["--colour"]);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && error.contains("takes"),
            "{name}: {error}"
        );
    }
}
