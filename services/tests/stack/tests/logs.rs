//! Logs that leave the host by `docker/syslog.yaml`.

use rollcall_stack_tests::{
    AdditionalComposeFile, Answer, BackgroundContainer, curl, docker, eventually, port, project,
    report,
};
use serde_json::{Value, json};

struct SyslogServer(BackgroundContainer);

impl SyslogServer {
    fn start() -> Self {
        let command = ["python3", "-u", "/clients/syslog_server.py", &port(5)];
        let name = format!("{}-syslog-server", project());
        let server = BackgroundContainer::start(name, &["--network", "host"], &command);
        eventually("the start of the syslog server", || {
            server.output().contains("listening")
        });
        Self(server)
    }

    /// Returns true if an RFC 5424 message from this container contains `text`.
    fn has_from(&self, container: &str, text: &str) -> bool {
        self.0.output().lines().any(|line| {
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

fn request_id(answer: &Answer) -> String {
    answer.header("x-request-id").expect("an ID").to_owned()
}

#[test]
fn containers_send_their_logs_in_rfc_5424_when_syslog_is_switched_on() {
    let server = SyslogServer::start();
    let address = format!("LOG_SYSLOG_ADDRESS=udp://127.0.0.1:{}", port(5));
    let switched =
        AdditionalComposeFile::switch_on("docker/syslog.yaml", &address, &["nginx", "reporting"]);

    // A service that is added to compose.yaml must be added to docker/syslog.yaml.
    let config = ["compose", "--profile", "operator", "config"];
    let config = docker(&[&config[..], &["--format", "json"]].concat());
    let config: Value = serde_json::from_str(&config).expect("JSON");
    for (name, service) in config["services"].as_object().expect("services") {
        let shows_secrets = service["profiles"] == json!(["operator"]);
        let expected = if shows_secrets { "none" } else { "syslog" };
        assert_eq!(service["logging"]["driver"], expected, "{name}");
    }

    let unknown_path = request_id(&curl("/unknown", &[], ""));
    let nginx = format!("{}-nginx-1", project());
    eventually("nginx's message", || server.has_from(&nginx, &unknown_path));
    let rejected_report = request_id(&report("no token", "2025-01-01", "2025-01-01"));
    let reporting = docker(&["compose", "ps", "--format", "{{.Name}}", "reporting"]);
    let reporting = reporting.trim();
    eventually("reporting's message", || {
        server.has_from(reporting, &rejected_report)
    });
    let local_logs = docker(&["compose", "logs", "reporting"]);
    assert!(local_logs.contains(&rejected_report));
    drop(switched);
}
