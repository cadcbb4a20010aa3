//! RADIUS and syslog through the VIP, from third-party clients: radclient, logger and rsyslog.

use std::{io::Write, process::Output, sync::OnceLock};

use rollcall_stack_tests::{
    LocalSource, client, compose, docker, eventually, metrics, port, psql, rollcall_json, root,
    run_client, run_script, shared_local_source, start_client,
};
use uuid::Uuid;

/// Returns the source that all tests of this file share, because adding it takes 6 seconds.
fn source() -> &'static LocalSource {
    static SOURCE: OnceLock<LocalSource> = OnceLock::new();
    SOURCE.get_or_init(|| shared_local_source("receivers-source.json"))
}

/// Sends an Accounting-Request with the client of `FreeRADIUS`, which fails without a response.
fn radclient(secret: &str, attributes: &str, max_tries: &str) -> Output {
    let nas = "NAS-Identifier = gateway-1, ";
    run_client(
        &[
            "radclient",
            "-r",
            max_tries,
            "-t",
            "3",
            &format!("127.0.0.1:{}", port(1)),
            "acct",
            secret,
        ],
        &format!("{nas}{attributes}\n"),
    )
}

/// Sends an Accounting-Request, which must get a response.
fn send_accounting(attributes: &str) {
    let output = radclient(&source().secret, attributes, "3");
    assert!(
        output.status.success(),
        "{attributes}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Returns user, login, derived login and logout of a session, or an empty string.
fn session(id: &str) -> String {
    psql(&format!(
        "SELECT concat_ws(' ', display_user, to_char(login_at, 'DD HH24:MI:SS'), login_derived,
                          to_char(logout_at, 'DD HH24:MI:SS'))
         FROM sessions JOIN persons ON persons.id = person_id
         WHERE session_id = 'gateway-1/{id}'"
    ))
}

/// Returns the number of events of a session.
fn event_count(session: &str) -> String {
    psql(&format!(
        "SELECT count(*) FROM events WHERE session_id = '{session}'"
    ))
}

/// Returns the Unix time of 2025-01-01 10:00 UTC plus `seconds`.
fn at(seconds: u32) -> u32 {
    1_735_725_600 + seconds
}

#[test]
fn radius_session_has_its_reported_times_and_a_retransmission_changes_nothing() {
    let id = Uuid::new_v4().simple().to_string();
    let base = format!(
        "User-Name = asha, Acct-Session-Id = {id}, Calling-Station-Id = 203.0.113.5, \
         Framed-IP-Address = 10.8.0.2, Class = 0x0102"
    );
    let start = format!(
        "{base}, Acct-Status-Type = Start, Event-Timestamp = {}",
        at(0)
    );
    send_accounting(&start);
    send_accounting(&start);
    send_accounting(&format!(
        "{base}, Acct-Status-Type = Interim-Update, Acct-Session-Time = 60, \
         Event-Timestamp = {}, Message-Authenticator = 0x00",
        at(60)
    ));
    send_accounting(&format!(
        "{base}, Acct-Status-Type = Stop, Acct-Session-Time = 3590, \
         Acct-Terminate-Cause = User-Request, Event-Timestamp = {}",
        at(3600)
    ));
    assert_eq!(
        session(&id),
        "asha 01 10:00:00 f 01 11:00:00",
        "the reported login takes precedence over the derived one"
    );
    assert_eq!(event_count(&format!("gateway-1/{id}")), "4");
    let evidence = psql(&format!(
        "SELECT reason, client_ip, wan_ip, class, duration_seconds
         FROM events WHERE session_id = 'gateway-1/{id}' AND kind = 'logout'"
    ));
    assert_eq!(evidence, "User-Request|10.8.0.2|203.0.113.5|0x0102|3590");
}

#[test]
fn radius_stop_without_start_gives_a_derived_login() {
    let id = Uuid::new_v4().simple().to_string();
    send_accounting(&format!(
        "User-Name = ben, Acct-Session-Id = {id}, Acct-Status-Type = Stop, \
         Acct-Session-Time = 3600, Event-Timestamp = {}",
        at(3600)
    ));
    assert_eq!(session(&id), "ben 01 10:00:00 t 01 11:00:00");
}

#[test]
fn radius_accounting_on_is_recorded_as_restart() {
    send_accounting(&format!(
        "Acct-Status-Type = Accounting-On, Event-Timestamp = {}",
        at(0)
    ));
    let restart = psql(&format!(
        "SELECT to_char(restarted_at, 'DD HH24:MI')
         FROM source_restarts JOIN sources ON sources.id = source_id WHERE name = '{}'",
        source().name
    ));
    assert_eq!(restart, "01 10:00");
}

#[test]
fn invalid_radius_request_gets_no_response_and_is_logged() {
    let id = Uuid::new_v4().simple().to_string();
    let start = format!("User-Name = mallory, Acct-Session-Id = {id}, Acct-Status-Type = Start");
    let secret = &source().secret;
    assert!(!radclient("another secret", &start, "1").status.success());
    assert!(
        !radclient(secret, "User-Name = mallory, Acct-Status-Type = Start", "1")
            .status
            .success()
    );
    assert_eq!(session(&id), "");
    let command = ["compose", "logs", "--no-log-prefix", "--tail", "300"];
    let log = docker(&[&command[..], &["ingestion"]].concat());
    for reason in ["its authenticator is wrong", "Acct-Session-Id is missing"] {
        let has_reason = |line: &str| line.contains(reason) && line.contains(&source().name);
        assert!(
            log.lines().any(has_reason),
            "{reason} is not in the log:\n{log}"
        );
    }
}

#[test]
fn radius_retransmission_is_recorded_when_the_database_is_back() {
    let id = Uuid::new_v4().simple().to_string();
    let start = format!(
        "User-Name = asha, Acct-Session-Id = {id}, Acct-Status-Type = Start, \
         Event-Timestamp = {}",
        at(0)
    );
    send_accounting(&start.replace(&id, &format!("{id}-first")));
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
    assert_eq!(event_count(&format!("gateway-1/{id}")), "1");
}

/// Sends a syslog message with util-linux's logger.
fn logger(arguments: &[&str], text: &str) {
    let _ = source();
    let port = port(2);
    let mut command = vec!["logger", "--rfc5424", "--server", "127.0.0.1"];
    command.extend(["--port", &port, "--tag", "gateway"]);
    command.extend(arguments);
    command.extend(["--", text]);
    client(&command, "");
}

#[test]
fn structured_data_of_logger_is_recorded_over_udp_and_tcp_in_both_framings() {
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
            event_count(&id) == "1"
        });
    }
}

#[test]
fn rsyslog_forwards_over_tls_before_and_after_a_restart_of_ingestion() {
    let _ = source();
    let run = Uuid::new_v4().simple().to_string();
    let stored = |part: &str| {
        psql(&format!(
            "SELECT count(DISTINCT user_name) FROM events
             WHERE user_name LIKE '{run}-{part}-%'"
        ))
    };
    let lines = |part: &str, number: usize| {
        let line = |number| {
            format!("Accepted publickey for {run}-{part}-{number} from 203.0.113.5 port 5 ssh2\n")
        };
        (0..number).map(line).collect::<Vec<_>>().concat()
    };
    // Standard input is appended to the log file that rsyslog follows.
    let command = format!(
        "export SYSLOG_TLS_PORT={}
        rsyslogd -n -f /clients/rsyslog.conf -i /tmp/rsyslog.pid &
        cat >>/tmp/auth.log
        kill $(cat /tmp/rsyslog.pid)
        wait",
        port(3)
    );
    let mut child = start_client(&["bash", "-c", &command]);
    let mut log = child.stdin.take().expect("its input");
    let mut write = |lines: String| log.write_all(lines.as_bytes()).expect("written");
    write(lines("before", 100));
    eventually("the first hundred", || stored("before") == "100");
    compose(&["restart", "ingestion"]);
    // Syslog has no acknowledgement. Messages that rsyslog writes before it notices the closed
    // connection are lost, so send single messages until one arrives.
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
fn rule_of_the_operator_is_tried_on_a_log_and_applied_without_a_restart() {
    let file = root().join(".rollcall/rules/acme.toml");
    std::fs::write(
        &file,
        r"
[[rule]]
name = 'acme-login'
app = 'acme'
pattern = '^user (?<user>\S+) connected, session (?<number>\d+)'
type = 'login'
correlation_key = 'acme/{number}'
",
    )
    .expect("a rule");
    let log = root().join("acme.log");
    let lines = "2025-01-01T10:00:00Z gw acme[7]: user asha connected, session 5\n\
                 2025-01-01T10:00:00Z gw acme[7]: idle\n\
                 nonsense\n";
    std::fs::write(&log, lines).expect("a log");
    let tried = run_script(
        "rollcall",
        &["source", "try-rules", log.to_str().expect("a path")],
    );
    assert_eq!(tried.status.code(), Some(1), "a line cannot be parsed");
    let tried = String::from_utf8_lossy(&tried.stdout).into_owned();
    assert!(
        tried.contains("acme-login") && tried.contains("acme/5@2025-01-01T10:00:00Z"),
        "{tried}"
    );
    assert!(tried.contains("1 (33.3 %)"), "{tried}");

    let user = Uuid::new_v4().simple().to_string();
    eventually("the rule's event", || {
        logger(
            &["--udp", "--tag", "acme"],
            &format!("user {user} connected, session 5"),
        );
        psql(&format!(
            "SELECT count(*) > 0 FROM persons WHERE display_user = '{user}'"
        )) == "t"
    });
    std::fs::write(&file, "[[rule]]\nname = 'acme-login'\n").expect("a rule");
    let bad = run_script(
        "rollcall",
        &["source", "try-rules", log.to_str().expect("a path")],
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
fn source_list_and_metrics_count_the_events_of_a_source() {
    let id = Uuid::new_v4().simple().to_string();
    send_accounting(&format!(
        "User-Name = asha, Acct-Session-Id = {id}, Acct-Status-Type = Start, \
         Event-Timestamp = {}",
        at(0)
    ));
    let list = rollcall_json(&["source", "list"]);
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
        metrics("ingestion").contains("receiver=\"radius\"")
    });
    eventually("the metrics of sources", || {
        metrics("maintenance").contains("maintenance_sources_enabled")
    });
}
