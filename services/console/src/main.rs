//! Binary of the service `console`.

use std::process::ExitCode;

use rollcall_platform::command;

#[tokio::main]
async fn main() -> ExitCode {
    command::main(
        "console",
        "Rollcall: pages for HR and the operator",
        rollcall_console::startup::serve,
    )
    .await
}
