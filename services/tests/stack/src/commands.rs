//! Commands on the host and in the containers of the stack.

use std::process::{Command, Output, Stdio};

use crate::root;

/// Runs a script of the project, which must succeed. Returns its standard output.
pub fn script(name: &str, arguments: &[&str]) -> String {
    let output = run_script(name, arguments);
    assert!(
        output.status.success(),
        "scripts/{name} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text")
}

/// Runs a script of the project, which may fail.
#[must_use]
pub fn run_script(name: &str, arguments: &[&str]) -> Output {
    let script = root().join("scripts").join(name);
    Command::new(script)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("a shell")
}

/// Runs `docker`, which must succeed. Returns its standard output.
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

/// Runs `docker compose` on the stack, which must succeed.
pub fn compose(arguments: &[&str]) {
    docker(&[&["compose"], arguments].concat());
}

/// Runs a shell command in a container of the stack. The command may fail.
#[must_use]
pub fn run_in(service: &str, command: &str) -> Output {
    let arguments = ["compose", "exec", "-T", service, "sh", "-c", command];
    Command::new("docker")
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("docker")
}

/// Returns the metrics of a service in the Prometheus text format.
pub fn metrics(service: &str) -> String {
    let request =
        "exec 3<>/dev/tcp/127.0.0.1/9090; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3";
    docker(&["compose", "exec", "-T", service, "bash", "-c", request])
}

/// Runs a statement as the owner of the database. Returns the rows as unaligned text.
pub fn psql(statement: &str) -> String {
    let command = format!(
        "PGPASSWORD=$(cat /run/secrets/database-password) \
         psql -h 127.0.0.1 -U rollcall -d rollcall -qAtc \"{statement}\""
    );
    docker(&["compose", "exec", "-T", "postgres", "sh", "-c", &command])
        .trim()
        .to_owned()
}
