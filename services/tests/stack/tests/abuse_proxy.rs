//! Attacks of an unknown client on the reverse proxy, and their effect on other clients.

use std::{
    io::{Read, Write},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rollcall_stack_tests::{
    CLIENTS, client, curl, docker, eventually, project, send, source, start_client,
};
use serde_json::{Value, json};

/// A client that sends requests without a pause.
struct SteadyClient(Child);

impl SteadyClient {
    fn start() -> Self {
        let key = source();
        let mut child = start_client(&["python3", "/clients/steady.py", &key]);
        assert_eq!(line(&mut child), "started");
        Self(child)
    }

    /// Stops the client. Returns the unexpected outcomes and how often each occurred.
    fn failures(mut self) -> Vec<(String, Value)> {
        drop(self.0.stdin.take());
        let output = self.0.wait_with_output().expect("its end");
        let text = String::from_utf8_lossy(&output.stdout);
        let outcomes: Value = text
            .lines()
            .last()
            .and_then(|line| serde_json::from_str(line).ok())
            .unwrap_or_else(|| panic!("no outcomes: {output:?}"));
        println!(
            "steady client: {outcomes}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let mut outcomes = outcomes.as_object().expect("an object").clone();
        for usual in ["event 200", "keys 200", "report 401"] {
            assert!(outcomes.remove(usual).is_some(), "{usual}: {text}");
        }
        outcomes.into_iter().collect()
    }
}

/// Returns the next line that a process prints.
fn line(child: &mut Child) -> String {
    let mut line = String::new();
    let mut byte = [0];
    let output = child.stdout.as_mut().expect("its output");
    while output.read(&mut byte).expect("read") == 1 && byte != *b"\n" {
        line.push(char::from(byte[0]));
    }
    line
}

fn nginx() -> String {
    docker(&["compose", "ps", "-q", "nginx"]).trim().to_owned()
}

/// Returns what a service wrote to standard output in the last `since`, such as `10s`.
fn logs(service: &str, since: &str) -> String {
    let id = docker(&["compose", "ps", "-q", service]);
    docker(&["logs", "--since", since, id.trim()])
}

/// Returns the process IDs of nginx's workers.
fn workers() -> Vec<String> {
    let processes = docker(&["top", &nginx(), "-eo", "pid,args"]);
    let workers = processes
        .lines()
        .filter(|line| line.contains("worker process"));
    workers
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn memory_holds_all_connections_that_the_proxy_accepts() {
    // An idle connection with TLS, measured: 31 KiB. The rest is for workers, requests and logs.
    const CONNECTION_BYTES: i64 = 32 * 1024;
    const OTHER_BYTES: i64 = 128 * 1024 * 1024;
    const MAX_WORKERS: i64 = 4;
    let configuration = docker(&["exec", &nginx(), "cat", "/etc/rollcall/nginx.conf"]);
    let connections: i64 = configuration
        .lines()
        .find_map(|line| line.trim().strip_prefix("worker_connections "))
        .and_then(|value| value.trim_end_matches(';').parse().ok())
        .expect("worker_connections");
    let limit = docker(&["inspect", &nginx(), "--format", "{{.HostConfig.Memory}}"]);
    let limit: i64 = limit.trim().parse().expect("a number");
    assert!(workers().len() <= 4);
    assert!(MAX_WORKERS * connections * CONNECTION_BYTES + OTHER_BYTES <= limit);
}

#[test]
fn idle_connections_kill_no_worker_and_fail_no_other_client() {
    let before = workers();
    let steady = SteadyClient::start();
    // Connect to the address of the container. Docker's proxy for loopback would run out of
    // descriptors first.
    let address = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
    let addresses = docker(&["inspect", &nginx(), "--format", address]);
    let url = format!(
        "https://{}:8443/",
        addresses.split_whitespace().next().expect("an address")
    );
    let idle = start_client(&["bash", "/clients/idle.sh", &url, "20"]);
    std::thread::sleep(Duration::from_secs(14));
    let sockets = docker(&["exec", &nginx(), "cat", "/proc/net/tcp"]);
    // 20FB is port 8443, 01 an established connection.
    let open = sockets
        .lines()
        .filter(|line| line.contains(":20FB ") && line.contains(" 01 "))
        .count();
    println!("{open} connections are open after 14 seconds");
    assert!(open > 2_000, "{open}");
    idle.wait_with_output().expect("its end");
    assert_eq!(steady.failures(), []);
    assert_eq!(workers(), before, "a worker was killed");
}

#[test]
fn stalled_uploads_without_a_key_leave_room_for_a_large_body() {
    let key = source();
    let mut stalled = start_client(&["python3", "/clients/stalled.py", "16"]);
    // Ingestion answers 401 at the head, so that most of the uploads end early.
    std::thread::sleep(Duration::from_secs(5));
    let events: Vec<Value> = (0..1_000)
        .map(|id| json!({"event_id": format!("{id}"), "type": "login", "session_id": format!("{id}"), "user": "user_4", "occurred_at": "2025-01-01T15:30:00Z"}))
        .collect();
    let answer = send(&key, &events.into());
    drop(stalled.stdin.take());
    let stalled = stalled.wait_with_output().expect("its end");
    println!("{}", String::from_utf8_lossy(&stalled.stdout));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["accepted"], 1_000);
}

#[test]
fn rejected_requests_are_sampled_in_the_log() {
    let marker = curl("/marker-before-rejections", &[], "");
    assert_eq!(marker.status, 404);
    let attack = "wrk -t 2 -c 100 -d 5s -H 'Authorization: Bearer unknown' -s /clients/post.lua \"$STACK_URL/api/v1/ingestion/events\"";
    let output = client(&["bash", "-c", attack], "");
    let requests: u64 = output
        .lines()
        .find_map(|line| line.trim().split_once(" requests in"))
        .and_then(|(number, _)| number.parse().ok())
        .unwrap_or_else(|| panic!("{output}"));
    assert!(requests > 300, "{output}");
    for service in ["nginx", "ingestion"] {
        let logs = logs(service, "10s");
        let rejections = logs
            .lines()
            .filter(|line| line.contains("\"status\":401"))
            .count();
        println!("{service}: {rejections} log lines for {requests} rejected requests");
        assert!(rejections < 100, "{service}: {rejections}");
    }
}

#[test]
fn log_of_the_proxys_own_errors_has_the_requested_method_and_path() {
    let path = format!("/nothing/{}", uuid::Uuid::new_v4());
    // Other tests may have used up the log lines of this address. One more is allowed each second.
    eventually("a line", || {
        let answer = curl(&format!("{path}?password=secret"), &["-X", "DELETE"], "");
        assert_eq!(answer.status, 404);
        logs("nginx", "1m").contains(&path)
    });
    let logs = logs("nginx", "1h");
    let line: Value = logs
        .lines()
        .find(|line| line.contains(&path))
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .expect("a line");
    assert_eq!(
        (&line["method"], &line["path"]),
        (&json!("DELETE"), &json!(path))
    );
    assert!(!logs.contains("password=secret"));
}

#[test]
fn every_log_line_of_the_proxy_is_json() {
    let logs = logs("nginx", "1h");
    for line in logs.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
}

#[test]
fn services_listen_on_unix_sockets_and_loopback_only() {
    for service in ["auth", "ingestion", "reporting", "console", "maintenance"] {
        let sockets = docker(&[
            "compose",
            "exec",
            "-T",
            service,
            "cat",
            "/proc/net/tcp",
            "/proc/net/tcp6",
        ]);
        let listening: Vec<&str> = sockets
            .lines()
            // State 0A is LISTEN. The kernel prints the first byte of an address last: 7F is
            // loopback, on which Docker's resolver listens.
            .filter(|line| line.contains(":0000 0A "))
            .filter_map(|line| line.split_whitespace().nth(1))
            .filter(
                |address| !matches!(address.split_once(':'), Some((ip, _)) if ip.ends_with("7F")),
            )
            .collect();
        assert!(listening.is_empty(), "{service}: {listening:?}");
    }
}

#[test]
fn changed_setting_is_applied_without_a_failed_request() {
    let before = containers();
    let steady = SteadyClient::start();
    let settings = rollcall_stack_tests::root().join(".env");
    let hours = 24 + std::process::id() % 1_000;
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(settings)
        .expect(".env");
    writeln!(file, "ROLLCALL_REPORTING__STALE_HOURS={hours}").expect("written");
    rollcall_stack_tests::script("up", &[]);
    assert_eq!(steady.failures(), []);
    let after = containers();
    assert_eq!(after.len(), before.len());
    assert!(
        after.iter().all(|id| !before.contains(id)),
        "{before:?} {after:?}"
    );
}

#[test]
fn invalid_setting_leaves_the_old_replicas_running() {
    let before = containers();
    let path = rollcall_stack_tests::root().join(".env");
    let settings = std::fs::read_to_string(&path).expect(".env");
    std::fs::write(
        &path,
        format!("{settings}ROLLCALL_REPORTING__STALE_HOURS=many\n"),
    )
    .expect("written");
    let outcome = rollcall_stack_tests::run_script("up", &[]);
    std::fs::write(&path, settings).expect("written");
    let message = String::from_utf8_lossy(&outcome.stderr);
    assert!(
        !outcome.status.success() && message.contains("reporting.stale_hours"),
        "{message}"
    );
    assert_eq!(containers(), before);
    assert_eq!(curl("/.well-known/jwks.json", &[], "").status, 200);
}

/// Returns the IDs of the containers of the services that `scripts/up` replaces.
fn containers() -> Vec<String> {
    let ids = docker(&[
        "compose",
        "ps",
        "-q",
        "auth",
        "ingestion",
        "reporting",
        "console",
        "maintenance",
    ]);
    ids.lines().map(str::to_owned).collect()
}

/// A host outside the stack: see `clients/outside.sh`. It is removed when this value is dropped.
struct OutsideHost(Child);

impl OutsideHost {
    fn start() -> Self {
        let clients = format!("{}/clients:/clients:ro", env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new("docker");
        command
            .args([
                "run",
                "--rm",
                "-i",
                "--cap-add",
                "NET_ADMIN",
                "--cap-add",
                "SYS_ADMIN",
                "--user",
                "0:0",
                "--network",
                "host",
                "-v",
                &clients,
            ])
            .args([CLIENTS, "bash", "/clients/outside.sh"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut host = Self(command.spawn().expect("docker"));
        assert_eq!(line(&mut host.0), "ready");
        host
    }

    /// Runs a command on the host. Returns the first line of its output.
    fn run(&mut self, command: &str) -> String {
        writeln!(self.0.stdin.as_mut().expect("its input"), "{command}").expect("written");
        line(&mut self.0)
    }
}

impl Drop for OutsideHost {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

#[test]
fn proxy_can_be_reached_from_outside_and_cannot_reach_out() {
    let mut outside = OutsideHost::start();
    let connect = "timeout 3 bash -c 'exec 3<>/dev/tcp/198.51.100.2/8000' && echo reached || echo not reached";
    let control = docker(&["run", "--rm", CLIENTS, "bash", "-c", connect]);
    assert_eq!(
        control.trim(),
        "reached",
        "a network with masquerading can reach the outside"
    );
    let proxy = docker(&["exec", &nginx(), "bash", "-c", connect]);
    assert_eq!(proxy.trim(), "not reached");

    // The VIP of this stack is on loopback. A container on the same network has a published port
    // that the host outside can reach.
    let name = format!("{}-inbound", project());
    let network = format!("{}_edge", project());
    let published = "198.51.100.1:28000:8000";
    docker(&[
        "run",
        "--rm",
        "-d",
        "--name",
        &name,
        "--network",
        &network,
        "-p",
        published,
        CLIENTS,
        "python3",
        "-m",
        "http.server",
        "8000",
    ]);
    let answer = outside.run(
        "curl -s -o /dev/null -w '%{http_code}\\n' --retry 10 --retry-all-errors --retry-delay 1 --max-time 20 http://198.51.100.1:28000/",
    );
    docker(&["rm", "-f", &name]);
    assert_eq!(answer, "200");
}
