//! RADIUS and syslog through the VIP, from clients that others wrote: radclient, logger and rsyslog.

use std::{io::Write, process::Output};

use rollcall_stack_tests::{
    Sender, client, compose, docker, eventually, once, port, psql, root, run_client, run_script,
    script, sender_here,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// The source of all tests in this file. A new one needs seconds until the receiver knows it.
fn source() -> Sender {
    let source = once("receivers-source", || {
        let Sender { name, secret } = sender_here();
        json!({"name": name, "secret": secret})
    });
    Sender {
        name: text(&source["name"]),
        secret: text(&source["secret"]),
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// The client of `FreeRADIUS`; it fails when there is no answer.
fn radclient(secret: &str, attributes: &str, tries: &str) -> Output {
    let nas = "NAS-Identifier = gateway-1, ";
    run_client(
        &[
            "radclient",
            "-r",
            tries,
            "-t",
            "3",
            &format!("127.0.0.1:{}", port(1)),
            "acct",
            secret,
        ],
        &format!("{nas}{attributes}\n"),
    )
}

fn acct(attributes: &str) {
    let output = radclient(&source().secret, attributes, "3");
    assert!(
        output.status.success(),
        "{attributes}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn session(id: &str) -> String {
    psql(&format!(
        "SELECT concat_ws(' ', user_name, to_char(login_at, 'DD HH24:MI:SS'), login_derived, to_char(logout_at, 'DD HH24:MI:SS')) FROM sessions WHERE session_id = 'gateway-1/{id}'"
    ))
}

fn events_of(session: &str) -> String {
    psql(&format!(
        "SELECT count(*) FROM events WHERE session_id = '{session}'"
    ))
}

/// Seconds since 1970 of 2025-01-01, 10:00 UTC, and of so many seconds after it.
fn at(seconds: u32) -> u32 {
    1_735_725_600 + seconds
}

#[test]
fn a_session_is_accounted_for_and_a_repeated_request_changes_nothing() {
    let id = Uuid::new_v4().simple().to_string();
    let base = format!(
        "User-Name = asha, Acct-Session-Id = {id}, Calling-Station-Id = 203.0.113.5, Framed-IP-Address = 10.8.0.2, Class = 0x0102"
    );
    let start = format!(
        "{base}, Acct-Status-Type = Start, Event-Timestamp = {}",
        at(0)
    );
    acct(&start);
    acct(&start);
    acct(&format!(
        "{base}, Acct-Status-Type = Interim-Update, Acct-Session-Time = 60, Event-Timestamp = {}, Message-Authenticator = 0x00",
        at(60)
    ));
    acct(&format!(
        "{base}, Acct-Status-Type = Stop, Acct-Session-Time = 3590, Acct-Terminate-Cause = User-Request, Event-Timestamp = {}",
        at(3600)
    ));
    assert_eq!(
        session(&id),
        "asha 01 10:00:00 f 01 11:00:00",
        "the stated login is believed, and not the derived one"
    );
    assert_eq!(events_of(&format!("gateway-1/{id}")), "4");
    let evidence = psql(&format!(
        "SELECT reason, client_ip, wan_ip, class, active_seconds FROM events WHERE session_id = 'gateway-1/{id}' AND kind = 'logout'"
    ));
    assert_eq!(evidence, "User-Request|10.8.0.2|203.0.113.5|0x0102|3590");
}

#[test]
fn a_stop_alone_tells_when_its_session_began() {
    let id = Uuid::new_v4().simple().to_string();
    acct(&format!(
        "User-Name = ben, Acct-Session-Id = {id}, Acct-Status-Type = Stop, Acct-Session-Time = 3600, Event-Timestamp = {}",
        at(3600)
    ));
    assert_eq!(session(&id), "ben 01 10:00:00 t 01 11:00:00");
}

#[test]
fn accounting_on_is_a_restart() {
    acct(&format!(
        "Acct-Status-Type = Accounting-On, Event-Timestamp = {}",
        at(0)
    ));
    let restart = psql(&format!(
        "SELECT to_char(last_restart_at, 'DD HH24:MI') FROM sources WHERE name = '{}'",
        source().name
    ));
    assert_eq!(restart, "01 10:00");
}

#[test]
fn a_wrong_secret_and_bad_attributes_get_no_answer_and_a_line_in_the_log() {
    let id = Uuid::new_v4().simple().to_string();
    let start = format!("User-Name = mallory, Acct-Session-Id = {id}, Acct-Status-Type = Start");
    assert!(!radclient("another secret", &start, "1").status.success());
    assert!(
        !radclient(
            &source().secret,
            "User-Name = mallory, Acct-Status-Type = Start",
            "1"
        )
        .status
        .success()
    );
    assert_eq!(session(&id), "");
    let log = docker(&[
        "compose",
        "logs",
        "--no-log-prefix",
        "--tail",
        "300",
        "ingestion",
    ]);
    for reason in ["its authenticator is wrong", "Acct-Session-Id: is missing"] {
        let tells = |line: &str| line.contains(reason) && line.contains(&source().name);
        assert!(log.lines().any(tells), "{reason} is not in the log:\n{log}");
    }
}

#[test]
fn while_the_database_does_not_answer_neither_does_radius_and_the_gateway_sends_again() {
    let id = Uuid::new_v4().simple().to_string();
    let start = format!(
        "User-Name = asha, Acct-Session-Id = {id}, Acct-Status-Type = Start, Event-Timestamp = {}",
        at(0)
    );
    acct(&start.replace(&id, &format!("{id}-first")));
    compose(&["pause", "postgres"]);
    let unanswered = radclient(&source().secret, &start, "1");
    compose(&["unpause", "postgres"]);
    assert!(!unanswered.status.success());
    let answered = radclient(&source().secret, &start, "10");
    assert!(
        answered.status.success(),
        "{}",
        String::from_utf8_lossy(&answered.stdout)
    );
    assert_eq!(events_of(&format!("gateway-1/{id}")), "1");
}

fn logger(arguments: &[&str], text: &str) {
    let _ = source();
    client(
        &[
            &[
                "logger",
                "--rfc5424",
                "--server",
                "127.0.0.1",
                "--port",
                &port(2),
                "--tag",
                "gateway",
            ],
            arguments,
            &["--", text],
        ]
        .concat(),
        "",
    );
}

#[test]
fn logger_sends_events_as_structured_data_over_udp_and_tcp_in_both_framings() {
    for arguments in [&["--udp"][..], &["--tcp"], &["--tcp", "--octet-count"]] {
        let id = Uuid::new_v4().simple().to_string();
        let parameter =
            |name: &str, value: &str| ["--sd-param".to_owned(), format!("{name}=\"{value}\"")];
        let data = [
            parameter("type", "login"),
            parameter("session_id", &id),
            parameter("user", "asha"),
            parameter("realm", "Sales"),
        ]
        .concat();
        let mut all = arguments.to_vec();
        all.extend(["--sd-id", "rollcall@32473"]);
        all.extend(data.iter().map(String::as_str));
        logger(&all, "hello");
        eventually(&format!("the event over {arguments:?}"), || {
            events_of(&id) == "1"
        });
    }
}

#[test]
fn rsyslog_forwards_a_log_over_tls_and_connects_again_when_ingestion_restarts() {
    let _ = source();
    let run = Uuid::new_v4().simple().to_string();
    let stored = |part: &str| {
        psql(&format!(
            "SELECT count(DISTINCT user_name) FROM events WHERE user_name LIKE '{run}-{part}-%'"
        ))
    };
    let lines = |part: &str, number: usize| {
        let line = |number| {
            format!("Accepted publickey for {run}-{part}-{number} from 203.0.113.5 port 5 ssh2\n")
        };
        (0..number).map(line).collect::<Vec<_>>().concat()
    };
    // What comes on standard input becomes the log.
    let command = format!(
        "export SYSLOG_TLS_PORT={}; rsyslogd -n -f /clients/rsyslog.conf -i /tmp/rsyslog.pid & cat >>/tmp/auth.log; kill $(cat /tmp/rsyslog.pid); wait",
        port(3)
    );
    let mut child = rollcall_stack_tests::start_client(&["bash", "-c", &command]);
    let mut log = child.stdin.take().expect("its input");
    let mut write = |lines: String| log.write_all(lines.as_bytes()).expect("written");
    write(lines("before", 100));
    eventually("the first hundred", || stored("before") == "100");
    compose(&["restart", "ingestion"]);
    // Syslog has no acknowledgement: what rsyslog writes before it sees that the connection is gone, is gone too.
    eventually("a connection", || {
        write(lines("probe", 1));
        stored("probe") == "1"
    });
    write(lines("after", 100));
    eventually("the second hundred", || stored("after") == "100");
    drop(log);
    assert!(child.wait().expect("its end").success());
}

#[test]
fn an_own_rule_is_tried_on_a_log_and_then_heard() {
    let file = root().join(".rollcall/rules/acme.toml");
    std::fs::write(
        &file,
        "[[rule]]\nname = 'acme-login'\napp = 'acme'\npattern = '^user (?<user>\\S+) connected, session (?<number>\\d+)'\ntype = 'login'\nsession = 'acme/{number}'\n",
    )
    .expect("a rule");
    let log = root().join("acme.log");
    std::fs::write(&log, "2025-01-01T10:00:00Z gw acme[7]: user asha connected, session 5\n2025-01-01T10:00:00Z gw acme[7]: idle\nnonsense\n").expect("a log");
    let tried = script(
        "rollcall",
        &["source", "try-rule", log.to_str().expect("a path")],
    );
    assert!(
        tried.contains("acme-login") && tried.contains("acme/5@2025-01-01T10:00:00Z"),
        "{tried}"
    );
    assert!(
        tried.contains("cannot be read") && tried.contains("1 other lines concern no session"),
        "{tried}"
    );

    compose(&["restart", "ingestion"]);
    let user = Uuid::new_v4().simple().to_string();
    eventually("the rule's event", || {
        logger(
            &["--udp", "--tag", "acme"],
            &format!("user {user} connected, session 5"),
        );
        psql(&format!(
            "SELECT count(*) > 0 FROM sessions WHERE user_name = '{user}'"
        )) == "t"
    });
    std::fs::write(&file, "[[rule]]\nname = 'acme-login'\n").expect("a rule");
    let bad = run_script(
        "rollcall",
        &["source", "try-rule", log.to_str().expect("a path")],
    );
    assert!(
        String::from_utf8_lossy(&bad.stderr).contains("acme.toml"),
        "{}",
        String::from_utf8_lossy(&bad.stderr)
    );
    std::fs::remove_file(&file).expect("removed");
    std::fs::remove_file(&log).expect("removed");
}

#[test]
fn the_list_and_the_metrics_tell_how_much_a_source_sent() {
    let id = Uuid::new_v4().simple().to_string();
    acct(&format!(
        "User-Name = asha, Acct-Session-Id = {id}, Acct-Status-Type = Start, Event-Timestamp = {}",
        at(0)
    ));
    let list: Value =
        serde_json::from_str(&script("rollcall", &["--json", "source", "list"])).expect("JSON");
    let known = list
        .as_array()
        .expect("rows")
        .iter()
        .find(|row| row["name"] == source().name)
        .expect("the source");
    assert!(
        known["events"].as_u64() > Some(0) && known["clock_skewed"].as_u64() > Some(0),
        "{known}"
    );
    assert!(
        known["last_received_at"].is_string() && known["gaps"] == 0,
        "{known}"
    );
    eventually("the metrics", || {
        let metrics = docker(&[
            "compose",
            "exec",
            "-T",
            "ingestion",
            "bash",
            "-c",
            "exec 3<>/dev/tcp/127.0.0.1/9090; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3",
        ]);
        metrics.contains("ingestion_source_events")
            && metrics.contains(&source().name)
            && metrics.contains("receiver=\"radius\"")
            && metrics.contains("ingestion_sessions_ended_total{ended=\"inferred\"")
    });
}
