//! Traces, metrics and logs over OTLP, from the VIP through all three services.

use rollcall_stack_tests::{
    AdditionalComposeFile, BackgroundContainer, api_client, docker, eventually, project, report,
    send, source, token,
};
use serde_json::json;

struct Collector(BackgroundContainer);

impl Collector {
    /// Starts a collector on a network of the stack. Its network alias is the host name of the
    /// OTLP endpoint in the test stack's .env.
    fn start(network: &str) -> Self {
        let network = format!("{}_{network}", project());
        let options = ["--network", &network, "--network-alias", "collector"];
        let command = ["python3", "-u", "/clients/collector.py"];
        let name = format!("{}-collector", project());
        Self(BackgroundContainer::start(name, &options, &command))
    }

    /// Returns true if `service` has sent a request of this kind that contains `hex`.
    fn has(&self, kind: &str, service: &str, hex: &str) -> bool {
        let start = format!("{kind} {service} ");
        self.0
            .output()
            .lines()
            .any(|line| line.starts_with(&start) && line.contains(hex))
    }
}

#[test]
fn trace_of_a_request_leads_from_the_vip_through_each_service() {
    let collector = Collector::start("services");
    // After a restart, reporting must fetch the keys from auth within the request.
    docker(&["compose", "restart", "reporting"]);
    let token = token(&api_client(&["reporting:read"]));
    let mut answer = report(&token, "2025-01-01", "2025-01-01");
    eventually("a report", || {
        answer = report(&token, "2025-01-01", "2025-01-01");
        answer.status == 200
    });
    let sent = send(&source(), &json!([]));
    // Only a rejected request writes a log line.
    assert_eq!(send("no key", &json!([])).status, 401);
    let (report_trace, ingestion_trace) = (
        answer.header("x-request-id").expect("an ID"),
        sent.header("x-request-id").expect("an ID"),
    );
    eventually("the report's trace", || {
        collector.has("traces", "reporting", report_trace)
    });
    eventually("ingestion's trace", || {
        collector.has("traces", "ingestion", ingestion_trace)
    });
    eventually("auth's trace", || collector.has("traces", "auth", ""));
    eventually("metrics", || collector.has("metrics", "maintenance", ""));
    for service in ["auth", "ingestion", "reporting"] {
        eventually("metrics", || collector.has("metrics", service, ""));
        eventually("logs", || collector.has("logs", service, ""));
    }
    eventually("a log record with its trace", || {
        collector.has("logs", "reporting", report_trace)
    });
}

#[test]
fn logs_reach_a_collector_on_a_network_with_internet_access() {
    let switched = AdditionalComposeFile::switch_on("docker/telemetry.yaml", "", &["reporting"]);
    let collector = Collector::start("telemetry");
    let network = format!("{}_telemetry", project());
    let internal = docker(&["network", "inspect", &network, "--format", "{{.Internal}}"]);
    assert_eq!(internal.trim(), "false");
    let answer = report("no token", "2025-01-01", "2025-01-01");
    let trace = answer.header("x-request-id").expect("an ID");
    eventually("the report's log record", || {
        collector.has("logs", "reporting", trace)
    });
    drop(collector);
    drop(switched);
    docker(&["network", "rm", &network]);
}
