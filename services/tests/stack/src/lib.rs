//! Black-box tests of the running stack, through the VIP, with clients that others wrote.
//!
//! `scripts/test` starts a separate stack and sets the environment: `STACK_URL`, the checkout that
//! the stack was started from in `STACK_ROOT`, its Compose project in `STACK_PROJECT`. Commands run
//! in the image of `docker/clients`, on the host's network.
#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a test helper that cannot do its work fails the test"
)]

use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

/// The image of the clients that others wrote.
pub const CLIENTS: &str = "localhost/rollcall-build/clients";

/// Where the VIP is, as `https://127.0.0.1:8443`.
#[must_use]
pub fn url() -> String {
    std::env::var("STACK_URL").expect("STACK_URL is not set: run scripts/test")
}

/// The checkout that the stack was started from.
#[must_use]
pub fn root() -> PathBuf {
    std::env::var("STACK_ROOT")
        .expect("STACK_ROOT is not set: run scripts/test")
        .into()
}

/// The Compose project of the stack, by which its containers, networks and images are named.
#[must_use]
pub fn project() -> String {
    std::env::var("STACK_PROJECT").expect("STACK_PROJECT is not set: run scripts/test")
}

/// Returns what `make` returned in the first test of this run that asked for `name`. nextest runs
/// each test in a process of its own, so the value is kept in a file of the stack's checkout.
pub fn once(name: &str, make: impl FnOnce() -> Value) -> Value {
    let file = root().join("target").join(name);
    if let Ok(text) = fs::read_to_string(&file) {
        return serde_json::from_str(&text).expect("JSON");
    }
    let value = make();
    fs::create_dir_all(root().join("target")).expect("a folder");
    fs::write(file, value.to_string()).expect("written");
    value
}

/// Standard output of a script of the project.
pub fn script(name: &str, arguments: &[&str]) -> String {
    let output = run_script(name, arguments);
    assert!(
        output.status.success(),
        "scripts/{name} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text")
}

/// A script of the project, whatever comes of it.
#[must_use]
pub fn run_script(name: &str, arguments: &[&str]) -> Output {
    let script = root().join("scripts").join(name);
    Command::new(script)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("a shell")
}

/// `docker` with these arguments.
pub fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker")
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("docker");
    assert!(
        output.status.success(),
        "docker {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// `docker compose` with these arguments, on the stack.
pub fn compose(arguments: &[&str]) {
    docker(&[&["compose"], arguments].concat());
}

/// A Compose file of the folder docker, in use beside compose.yaml until this value is dropped.
#[derive(Debug)]
pub struct AdditionalComposeFile {
    settings_before: String,
    services: Vec<String>,
}

impl AdditionalComposeFile {
    /// Adds the file and a setting to .env and starts these services again.
    pub fn switch_on(file: &str, setting: &str, services: &[&str]) -> Self {
        let settings_before = std::fs::read_to_string(root().join(".env")).expect(".env");
        let added = Self {
            settings_before,
            services: services.iter().map(ToString::to_string).collect(),
        };
        added.apply(&format!(
            "{}COMPOSE_FILE=compose.yaml:{file}\n{setting}\n",
            added.settings_before
        ));
        added
    }

    fn apply(&self, settings: &str) {
        std::fs::write(root().join(".env"), settings).expect("written");
        let mut arguments = vec!["up", "--detach", "--wait", "--no-deps"];
        arguments.extend(self.services.iter().map(String::as_str));
        compose(&arguments);
    }
}

impl Drop for AdditionalComposeFile {
    fn drop(&mut self) {
        self.apply(&self.settings_before);
    }
}

/// A command in a container of the stack, whatever comes of it.
#[must_use]
pub fn run_in(service: &str, command: &str) -> Output {
    let arguments = ["compose", "exec", "-T", service, "sh", "-c", command];
    Command::new("docker")
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("docker")
}

/// What a statement gives to the database's owner.
pub fn psql(statement: &str) -> String {
    let command = format!(
        "PGPASSWORD=$(cat /run/secrets/database-password) psql -h 127.0.0.1 -U rollcall -d rollcall -qAtc \"{statement}\""
    );
    docker(&["compose", "exec", "-T", "postgres", "sh", "-c", &command])
        .trim()
        .to_owned()
}

/// Standard output of a command in the client container, with `input` on its standard input. The VIP's
/// CA file is /state/ca.pem there, this package's `clients` folder /clients.
pub fn client(command: &[&str], input: &str) -> String {
    let output = run_client(command, input);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text")
}

/// A command in the client container, whatever comes of it.
#[must_use]
pub fn run_client(command: &[&str], input: &str) -> Output {
    let mut child = start_client(command);
    child
        .stdin
        .take()
        .expect("its input")
        .write_all(input.as_bytes())
        .expect("written");
    child.wait_with_output().expect("its end")
}

/// A command in the client container, at work.
#[must_use]
pub fn start_client(command: &[&str]) -> Child {
    start_client_on("host", command)
}

/// The same on a network of Docker's.
#[must_use]
pub fn start_client_on(network: &str, command: &[&str]) -> Child {
    let ca = format!(
        "{}:/state/ca.pem:ro",
        root().join(".rollcall/ca.pem").display()
    );
    let clients = format!("{}/clients:/clients:ro", env!("CARGO_MANIFEST_DIR"));
    Command::new("docker")
        .args([
            "run",
            "--rm",
            "-i",
            "--network",
            network,
            "-v",
            &ca,
            "-v",
            &clients,
            "-e",
        ])
        .arg(format!("STACK_URL={}", url()))
        .arg(CLIENTS)
        .args(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("docker")
}

/// What curl shows of an answer.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Header lines in lower case.
    pub headers: Vec<String>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }
}

/// curl, trusting the stack's CA, with these arguments after the path.
pub fn curl(path: &str, arguments: &[&str], input: &str) -> Answer {
    let url = format!("{}{path}", url());
    let mut command = vec![
        "curl",
        "-sS",
        "-i",
        "--max-time",
        "60",
        "--cacert",
        "/state/ca.pem",
        &url,
    ];
    command.extend(arguments);
    parse(&client(&command, input))
}

/// The last answer in curl's output with headers.
#[must_use]
pub fn parse(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    if head.starts_with("HTTP/1.1 100") {
        return parse(body);
    }
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .unwrap_or_else(|| panic!("no status: {text}"));
    let lower = |line: &str| {
        line.split_once(": ").map_or_else(
            || line.to_lowercase(),
            |(name, value)| format!("{}: {value}", name.to_lowercase()),
        )
    };
    Answer {
        status,
        headers: lines.map(lower).collect(),
        body: body.to_owned(),
    }
}

/// A new API client: user name and password.
pub fn api_client(scopes: &[&str]) -> (String, String) {
    let mut arguments = vec!["--json", "client", "add"];
    for scope in scopes {
        arguments.extend(["--scope", scope]);
    }
    let client: Value = serde_json::from_str(&script("rollcall", &arguments)).expect("JSON");
    let text = |name: &str| client[name].as_str().expect("text").to_owned();
    (text("username"), text("password"))
}

/// A new source of a name nobody has: its key.
pub fn source() -> String {
    source_named(&format!("test-{}", uuid::Uuid::new_v4()))
}

/// A new source: its key.
pub fn source_named(name: &str) -> String {
    let source: Value =
        serde_json::from_str(&script("rollcall", &["--json", "source", "add", name]))
            .expect("JSON");
    source["key"].as_str().expect("a key").to_owned()
}

/// A source that sends RADIUS and syslog from this host.
#[derive(Debug)]
pub struct Sender {
    /// Its name.
    pub name: String,
    /// Its RADIUS secret.
    pub secret: String,
}

/// Gateway of one of the stack's networks. Docker carries loopback's published ports to a container
/// from there.
fn gateway(network: &str) -> String {
    let network = format!("{}_{network}", project());
    let format = "{{(index .IPAM.Config 0).Gateway}}";
    docker(&["network", "inspect", &network, "--format", format])
        .trim()
        .to_owned()
}

/// A new one, in the place of an earlier one: a network is of one source. Waits until the receiver
/// forwards its datagrams.
pub fn sender_here() -> Sender {
    psql("DELETE FROM source_networks");
    let name = format!("sender-{}", uuid::Uuid::new_v4());
    let (edge, datagrams) = (gateway("edge"), gateway("datagrams"));
    let added = script(
        "rollcall",
        &[
            "--json",
            "source",
            "add",
            &name,
            "--radius",
            "--network",
            &edge,
            "--network",
            &datagrams,
        ],
    );
    // The networks are read every 2 seconds, and what was unknown is asked for again after 5.
    std::thread::sleep(Duration::from_secs(6));
    let added: Value = serde_json::from_str(&added).expect("JSON");
    Sender {
        name,
        secret: added["radius_secret"]
            .as_str()
            .expect("a secret")
            .to_owned(),
    }
}

/// The VIP's port so many after that of HTTPS: 1 is RADIUS, 2 syslog, 3 syslog over TLS.
pub fn port(after: u16) -> String {
    let https: u16 = url()
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok())
        .expect("a port");
    (https + after).to_string()
}

/// A token of a client.
pub fn token((name, password): &(String, String)) -> String {
    let body = serde_json::json!({"username": name, "password": password}).to_string();
    let answer = curl(
        "/api/v1/auth/connect",
        &["-H", "Content-Type: application/json", "-d", "@-"],
        &body,
    );
    answer.json()["token"]
        .as_str()
        .unwrap_or_else(|| panic!("no token: {answer:?}"))
        .to_owned()
}

/// A report on all users.
pub fn report(token: &str, start_date: &str, end_date: &str) -> Answer {
    let body = serde_json::json!({"Filters": {"StartDate": start_date, "EndDate": end_date, "UserName": "All Users", "StartOfDay": "00:00:00", "RequestDate": end_date}});
    let authorization = format!("Authorization: Bearer {token}");
    curl(
        "/api/v1/reporting/sessions",
        &[
            "-H",
            &authorization,
            "-H",
            "Content-Type: application/json",
            "-d",
            "@-",
        ],
        &body.to_string(),
    )
}

/// Sends events as JSON.
pub fn send(key: &str, events: &Value) -> Answer {
    let authorization = format!("Authorization: Bearer {key}");
    curl(
        "/api/v1/ingestion/events",
        &[
            "-H",
            &authorization,
            "-H",
            "Content-Type: application/json",
            "-d",
            "@-",
        ],
        &events.to_string(),
    )
}

/// Waits until something holds that a stack at work brings about by itself.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(
            started.elapsed() < Duration::from_mins(1),
            "{what} does not come"
        );
        std::thread::sleep(Duration::from_millis(300));
    }
}
