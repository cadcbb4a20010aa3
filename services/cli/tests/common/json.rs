//! Runs the binary of the command line and parses its result.

use rollcall_test_support::Rollcall;
use serde_json::Value;

use crate::common::{error, run};

/// Runs the command line with `--json`. Returns the result and the exit code.
pub fn run_json(rollcall: &Rollcall, role: &str, arguments: &[&str]) -> (Value, Option<i32>) {
    let arguments = [&["--json"], arguments].concat();
    let output = run(rollcall, role, &arguments, "");
    let value = serde_json::from_slice(&output.stdout);
    (
        value.unwrap_or_else(|_| panic!("{}", error(&output))),
        output.status.code(),
    )
}
