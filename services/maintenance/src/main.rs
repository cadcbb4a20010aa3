//! Binary of the service `maintenance`.

use std::process::ExitCode;

use rollcall_platform::command;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    command::main(
        "maintenance",
        "Rollcall: creates partitions, removes expired data, sums up statistics of sources",
        rollcall_maintenance::startup::serve,
    )
    .await
}
