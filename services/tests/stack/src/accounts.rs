//! API clients and sources, added by the command line.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    JSON_FROM_STDIN, curl, docker,
    once::{forget, once},
    project, psql, script,
};

/// Runs `scripts/rollcall --json`, which must succeed. Returns what the script printed.
pub fn rollcall_json(arguments: &[&str]) -> Value {
    let output = script("rollcall", &[&["--json"], arguments].concat());
    serde_json::from_str(&output).expect("JSON")
}

/// Adds an API client. Returns its user name and password.
pub fn api_client(scopes: &[&str]) -> (String, String) {
    let mut arguments = vec!["client", "add"];
    for scope in scopes {
        arguments.extend(["--scope", scope]);
    }
    let client = rollcall_json(&arguments);
    let text = |name: &str| client[name].as_str().expect("text").to_owned();
    (text("username"), text("password"))
}

/// Signs in as an API client. Returns the token.
pub fn token((name, password): &(String, String)) -> String {
    let body = json!({"username": name, "password": password}).to_string();
    let answer = curl("/api/v1/auth/connect", &JSON_FROM_STDIN, &body);
    answer.json()["token"]
        .as_str()
        .unwrap_or_else(|| panic!("no token: {answer:?}"))
        .to_owned()
}

/// Adds a source with a unique name. Returns its key.
pub fn source() -> String {
    source_named(&format!("test-{}", uuid::Uuid::new_v4()))
}

/// Adds a source. Returns its key.
pub fn source_named(name: &str) -> String {
    let source = rollcall_json(&["source", "add", name]);
    source["key"].as_str().expect("a key").to_owned()
}

/// A source that sends RADIUS and syslog from this host.
#[derive(Debug)]
pub struct LocalSource {
    /// Name of the source.
    pub name: String,
    /// RADIUS shared secret.
    pub secret: String,
}

/// Adds a source whose source networks are this host, and waits until its datagrams are forwarded.
/// The new source replaces an earlier one, because a network belongs to one source.
pub fn local_source() -> LocalSource {
    psql("DELETE FROM source_networks");
    let name = format!("local-{}", uuid::Uuid::new_v4());
    let (edge, datagrams) = (gateway("edge"), gateway("datagrams"));
    let add = ["source", "add", &name, "--radius"];
    let networks = ["--network", &edge, "--network", &datagrams];
    let added = rollcall_json(&[&add[..], &networks].concat());
    // Ingestion reads the networks every 2 seconds. The receiver asks again for an unknown address
    // after 5 seconds.
    std::thread::sleep(Duration::from_secs(6));
    let secret = added["radius_secret"].as_str().expect("a secret");
    LocalSource {
        name,
        secret: secret.to_owned(),
    }
}

/// Returns a source as [`local_source`] does, which all tests of a file share under this name,
/// because adding it takes 6 seconds. A new one is added when another source has replaced it.
pub fn shared_local_source(name: &str) -> LocalSource {
    let make = || {
        let LocalSource { name, secret } = local_source();
        json!({"name": name, "secret": secret})
    };
    let text = |source: &Value, field: &str| source[field].as_str().expect("text").to_owned();
    let mut source = once(name, make);
    let networks = format!(
        "SELECT count(*) FROM source_networks JOIN sources ON sources.id = source_id
         WHERE name = '{}'",
        text(&source, "name")
    );
    if psql(&networks) == "0" {
        forget(name);
        source = once(name, make);
    }
    LocalSource {
        name: text(&source, "name"),
        secret: text(&source, "secret"),
    }
}

/// Returns the gateway address of a network of the stack. Docker forwards what arrives at ports
/// published on loopback from this address.
fn gateway(network: &str) -> String {
    let network = format!("{}_{network}", project());
    let format = "{{(index .IPAM.Config 0).Gateway}}";
    docker(&["network", "inspect", &network, "--format", format])
        .trim()
        .to_owned()
}
