//! Attacks on the ingestion API. None of them stops the service or fails a request of a steady
//! client.

use std::sync::atomic::{AtomicBool, Ordering};

use rollcall_stack_tests::{client, curl, docker, project, send, source};
use serde_json::{Value, json};

/// Returns the restarts of each replica of ingestion, and whether it exceeded its memory limit.
fn restarts() -> String {
    let service = format!("label=com.docker.compose.project={}", project());
    let label = "label=com.docker.compose.service=ingestion";
    let containers = docker(&["ps", "-aq", "--filter", &service, "--filter", label]);
    let format = "{{.Id}} {{.RestartCount}} {{.State.OOMKilled}} {{.State.StartedAt}}";
    let mut inspect = vec!["inspect", "--format", format];
    inspect.extend(containers.split_whitespace());
    docker(&inspect)
}

/// Sends large bodies concurrently while a steady client sends one event at a time. Asserts that
/// ingestion was not restarted. Returns the statuses of the bodies.
fn attack(kind: &str, count: &str, keys: &[&str]) -> Value {
    let before = restarts();
    let steady = source();
    let is_over = AtomicBool::new(false);
    let statuses = std::thread::scope(|scope| {
        let steady_client = scope.spawn(|| {
            let mut sent = 0;
            while !is_over.load(Ordering::SeqCst) || sent == 0 {
                let event = json!({"event_id": format!("{kind}-{sent}"), "type": "restart", "occurred_at": "2025-01-01T10:00:00Z"});
                let answer = send(&steady, &event);
                assert_eq!(answer.status, 200, "the steady client: {answer:?}");
                sent += 1;
            }
        });
        let mut command = vec!["python3", "/clients/large_bodies.py", kind, count];
        command.extend(keys);
        let statuses = client(&command, "");
        is_over.store(true, Ordering::SeqCst);
        steady_client.join().expect("only 200");
        statuses
    });
    assert_eq!(restarts(), before, "a replica was restarted");
    serde_json::from_str(&statuses).expect("JSON")
}

#[test]
fn sixty_large_gzip_bodies_without_a_key_get_401() {
    assert_eq!(attack("gzip", "60", &["unknown"]), json!({"401": 60}));
}

#[test]
fn large_body_without_a_key_gets_401_over_http_1_and_2() {
    let body = " ".repeat(16 * 1024 * 1024);
    for version in ["--http1.1", "--http2"] {
        let arguments = [
            version,
            "-H",
            "Authorization: Bearer unknown",
            "-H",
            "Expect:",
            "--data-binary",
            "@-",
        ];
        let answer = curl("/api/v1/ingestion/events", &arguments, &body);
        assert_eq!(answer.status, 401, "{version}: {answer:?}");
    }
}

#[test]
fn large_bodies_of_twelve_sources_get_200_or_503() {
    let keys: Vec<String> = (0..12).map(|_| source()).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    for kind in ["lines", "array"] {
        let statuses = attack(kind, "12", &keys);
        let number = |status: &str| statuses[status].as_u64().unwrap_or(0);
        assert_eq!(number("200") + number("503"), 12, "{statuses}");
        assert!(number("200") > 0, "{statuses}");
    }
}

#[test]
fn array_of_millions_of_numbers_gets_413() {
    // Two bodies are sent, because a source may hold memory for two large bodies at once.
    let key = source();
    assert_eq!(attack("ones", "2", &[&key]), json!({"413": 2}));
}
