//! Runs the binary of the command line.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use rollcall_test_support::Rollcall;

/// Runs the command line with the database role `role` and `input` on standard input.
pub fn run(rollcall: &Rollcall, role: &str, arguments: &[&str], input: impl AsRef<[u8]>) -> Output {
    run_with(rollcall, role, arguments, input, &[])
}

/// Runs the command line as [`run`] does, with more environment variables.
pub fn run_with(
    rollcall: &Rollcall,
    role: &str,
    arguments: &[&str],
    input: impl AsRef<[u8]>,
    environment: &[(&str, &str)],
) -> Output {
    let database = rollcall.database.settings(role);
    let mut child = Command::new(env!("CARGO_BIN_EXE_rollcall"))
        .args(arguments)
        .envs(environment.iter().copied())
        .env("ROLLCALL_DATABASE__HOST", database.host)
        .env("ROLLCALL_DATABASE__PORT", database.port.to_string())
        .env("ROLLCALL_DATABASE__NAME", database.name)
        .env("ROLLCALL_DATABASE__USER", database.user)
        .env("ROLLCALL_DATABASE__PASSWORD_FILE", database.password_file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // A binary that rejects its arguments does not read its input.
    let mut stdin = child.stdin.take().expect("standard input");
    let _ = stdin.write_all(input.as_ref());
    drop(stdin);
    child.wait_with_output().expect("the binary ends")
}

/// Returns standard error as text.
pub fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
