//! Traces, metrics and logs over OTLP: one trace from the VIP on through all three services.

use std::process::Command;

use rollcall_stack_tests::{
    AdditionalComposeFile, CLIENTS, api_client, docker, eventually, project, report, send, source,
    token,
};

struct Collector {
    name: String,
}

impl Collector {
    /// On this network, under the name that the test stack's .env gives as the endpoint.
    fn start(network: &str) -> Self {
        let clients = format!("{}/clients:/clients:ro", env!("CARGO_MANIFEST_DIR"));
        let name = format!("{}-collector", project());
        docker(&[
            "run",
            "-d",
            "--rm",
            "--name",
            &name,
            "--network",
            &format!("{}_{network}", project()),
            "--network-alias",
            "collector",
            "-v",
            &clients,
            CLIENTS,
            "python3",
            "-u",
            "/clients/collector.py",
        ]);
        Self { name }
    }

    fn lines(&self) -> Vec<String> {
        docker(&["logs", &self.name])
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// Whether `service` has sent something of this kind that holds `hex`.
    fn has(&self, kind: &str, service: &str, hex: &str) -> bool {
        self.lines()
            .iter()
            .any(|line| line.starts_with(&format!("{kind} {service} ")) && line.contains(hex))
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = Command::new("docker")
            .args(["rm", "-f", &self.name])
            .output();
    }
}

#[test]
fn one_trace_leads_from_the_vip_through_all_three_services() {
    let collector = Collector::start("services");
    // A fresh reporting must fetch the keys from auth within the request.
    docker(&["compose", "restart", "reporting"]);
    let token = token(&api_client(&["reporting:read"]));
    let mut answer = report(&token, "2025-01-01", "2025-01-01");
    eventually("a report", || {
        answer = report(&token, "2025-01-01", "2025-01-01");
        answer.status == 200
    });
    let sent = send(&source(), &serde_json::json!([]));
    // What is taken writes no line; what is refused does.
    assert_eq!(send("no key", &serde_json::json!([])).status, 401);
    let (trace, other) = (
        answer.header("x-request-id").expect("an id"),
        sent.header("x-request-id").expect("an id"),
    );
    eventually("the report's trace", || {
        collector.has("traces", "reporting", trace)
    });
    eventually("the ingestion's trace", || {
        collector.has("traces", "ingestion", other)
    });
    eventually("auth's trace", || {
        collector
            .lines()
            .iter()
            .any(|line| line.starts_with("traces auth "))
    });
    eventually("metrics", || collector.has("metrics", "maintenance", ""));
    for service in ["auth", "ingestion", "reporting"] {
        eventually("metrics", || collector.has("metrics", service, ""));
        eventually("logs", || collector.has("logs", service, ""));
    }
    eventually("a log record with its trace", || {
        collector.has("logs", "reporting", trace)
    });
}

#[test]
fn logs_reach_a_collector_on_a_network_with_a_way_out() {
    let switched = AdditionalComposeFile::switch_on("docker/telemetry.yaml", "", &["reporting"]);
    let collector = Collector::start("telemetry");
    let network = format!("{}_telemetry", project());
    let internal = docker(&["network", "inspect", &network, "--format", "{{.Internal}}"]);
    assert_eq!(internal.trim(), "false");
    let answer = report("no token", "2025-01-01", "2025-01-01");
    let trace = answer.header("x-request-id").expect("an id");
    eventually("the report's log record", || {
        collector.has("logs", "reporting", trace)
    });
    drop(collector);
    drop(switched);
    docker(&["network", "rm", &network]);
}
