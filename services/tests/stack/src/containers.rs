//! Containers of the client image.

use std::{
    io::Write,
    process::{Child, Command, Output, Stdio},
};

use crate::{docker, project, root, url};

/// Name of the image of third-party clients.
pub const CLIENTS: &str = "localhost/rollcall-build/clients";

/// Returns the volume argument that mounts the folder `clients` of this package at /clients.
pub fn clients_mount() -> String {
    format!("{}/clients:/clients:ro", env!("CARGO_MANIFEST_DIR"))
}

/// Runs a command in a client container, which must succeed. Writes `input` to its standard input
/// and returns its standard output.
///
/// The container has the VIP's CA file at /state/ca.pem and the folder `clients` of this package at
/// /clients.
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

/// Runs a command in a client container. The command may fail.
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

/// Starts a command in a client container on the network of the host.
#[must_use]
pub fn start_client(command: &[&str]) -> Child {
    start_client_on("host", command)
}

/// Starts a command in a client container on a Docker network.
#[must_use]
pub fn start_client_on(network: &str, command: &[&str]) -> Child {
    start_container(&["--network", network], command)
}

/// Starts a command in a client container that can connect to the reverse proxy directly, at the
/// address in the variable `PROXY_ADDRESS`. A connection by loopback passes through docker-proxy,
/// whose buffers can hold a whole report. The receive buffers of this container are limited to
/// 6 MiB. Since Linux 6.16 they could grow to 32 MiB, which is also more than a report.
#[must_use]
pub fn start_direct_client(command: &[&str]) -> Child {
    let network = format!("{}_edge", project());
    let options = [
        "--network",
        &network,
        "--sysctl",
        "net.ipv4.tcp_rmem=4096 131072 6291456",
        "-e",
        "PROXY_ADDRESS=nginx:8443",
    ];
    start_container(&options, command)
}

/// Starts a client container with additional options of `docker run`.
fn start_container(options: &[&str], command: &[&str]) -> Child {
    let ca = format!(
        "{}:/state/ca.pem:ro",
        root().join(".rollcall/ca.pem").display()
    );
    Command::new("docker")
        .args(["run", "--rm", "-i"])
        .args(options)
        .args(["-v", &ca, "-v", &clients_mount()])
        .args(["-e", &format!("STACK_URL={}", url()), CLIENTS])
        .args(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("docker")
}

/// A named client container that runs in the background and is removed when dropped.
#[derive(Debug)]
pub struct BackgroundContainer {
    name: String,
}

impl BackgroundContainer {
    /// Starts the container with additional options of `docker run`.
    pub fn start(name: String, options: &[&str], command: &[&str]) -> Self {
        let mount = clients_mount();
        let run = ["run", "-d", "--rm", "--name", &name, "-v", &mount];
        docker(&[&run, options, &[CLIENTS], command].concat());
        Self { name }
    }

    /// Returns what the container has printed so far.
    pub fn output(&self) -> String {
        docker(&["logs", &self.name])
    }
}

impl Drop for BackgroundContainer {
    fn drop(&mut self) {
        // Ignore a failure: it must not hide the failure of the test.
        let _ = Command::new("docker")
            .args(["rm", "-f", &self.name])
            .output();
    }
}
