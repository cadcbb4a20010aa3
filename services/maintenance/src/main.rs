//! Binary of the service `maintenance`.

use std::process::ExitCode;

use clap::Parser;
use rollcall_platform::command;

#[derive(Parser)]
#[command(
    version,
    about = "Rollcall: creates partitions, removes expired data, sums up statistics of sources"
)]
struct Arguments {
    #[command(subcommand)]
    task: command::Command,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    command::finish(
        command::run(
            "maintenance",
            Arguments::parse().task,
            rollcall_maintenance::startup::serve,
        )
        .await,
    )
}
