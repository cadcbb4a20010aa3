//! Binary of the service `reporting`.

use std::process::ExitCode;

use rollcall_platform::command;

#[tokio::main]
async fn main() -> ExitCode {
    command::main(
        "reporting",
        "Rollcall: attendance reports",
        rollcall_reporting::startup::serve,
    )
    .await
}
