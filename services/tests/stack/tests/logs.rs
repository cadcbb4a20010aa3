//! Logs that leave the host by `docker/syslog.yaml`.

use std::process::Command;

use rollcall_stack_tests::{
    AdditionalComposeFile, CLIENTS, curl, docker, eventually, port, project, report,
};
use serde_json::Value;

struct SyslogServer {
    name: String,
}

impl SyslogServer {
    fn start() -> Self {
        let clients = format!("{}/clients:/clients:ro", env!("CARGO_MANIFEST_DIR"));
        let name = format!("{}-syslog-server", project());
        docker(&[
            "run",
            "-d",
            "--rm",
            "--name",
            &name,
            "--network",
            "host",
            "-v",
            &clients,
            CLIENTS,
            "python3",
            "-u",
            "/clients/syslog_server.py",
            &port(5),
        ]);
        let server = Self { name };
        eventually("the syslog server", || server.has("listening", ""));
        server
    }

    /// Returns true if a message begins with `start`, after priority and version, and contains
    /// `text`.
    fn has(&self, start: &str, text: &str) -> bool {
        docker(&["logs", &self.name])
            .lines()
            .any(|line| line.starts_with(start) && line.contains(text))
    }

    /// Returns true if an RFC 5424 message from this container contains `text`.
    fn has_from(&self, container: &str, text: &str) -> bool {
        docker(&["logs", &self.name]).lines().any(|line| {
            let fields: Vec<&str> = line.splitn(8, ' ').collect();
            let [
                priority_and_version,
                timestamp,
                _host,
                app_name,
                _process,
                message_id,
                "-",
                message,
            ] = fields[..]
            else {
                return false;
            };
            priority_and_version.starts_with('<')
                && priority_and_version.ends_with(">1")
                && timestamp.parse::<jiff::Timestamp>().is_ok()
                && app_name == container
                && message_id == container
                && message.contains(text)
        })
    }
}

impl Drop for SyslogServer {
    fn drop(&mut self) {
        let _ = Command::new("docker")
            .args(["rm", "-f", &self.name])
            .output();
    }
}

#[test]
fn containers_send_their_logs_in_rfc_5424() {
    let server = SyslogServer::start();
    let address = format!("LOG_SYSLOG_ADDRESS=udp://127.0.0.1:{}", port(5));
    let switched =
        AdditionalComposeFile::switch_on("docker/syslog.yaml", &address, &["nginx", "reporting"]);

    // A service that is added to compose.yaml must be added to docker/syslog.yaml.
    let config = docker(&[
        "compose",
        "--profile",
        "operator",
        "config",
        "--format",
        "json",
    ]);
    let config: Value = serde_json::from_str(&config).expect("JSON");
    for (name, service) in config["services"].as_object().expect("services") {
        let shows_secrets = service["profiles"] == serde_json::json!(["operator"]);
        let expected = if shows_secrets { "none" } else { "syslog" };
        assert_eq!(service["logging"]["driver"], expected, "{name}");
    }

    let id = |answer: rollcall_stack_tests::Answer| {
        answer.header("x-request-id").expect("an id").to_owned()
    };
    let unknown_path = id(curl("/unknown", &[], ""));
    let nginx = format!("{}-nginx-1", project());
    eventually("nginx's message", || server.has_from(&nginx, &unknown_path));
    let refused_report = id(report("no token", "2025-01-01", "2025-01-01"));
    let reporting = docker(&["compose", "ps", "--format", "{{.Name}}", "reporting"]);
    let reporting = reporting.trim();
    eventually("reporting's message", || {
        server.has_from(reporting, &refused_report)
    });
    let kept_here = docker(&["compose", "logs", "reporting"]);
    assert!(kept_here.contains(&refused_report));
    drop(switched);
}
