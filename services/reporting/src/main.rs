//! Binary of the service `reporting`.

use std::process::ExitCode;

use clap::Parser;
use rollcall_platform::command;

#[derive(Parser)]
#[command(version, about = "Rollcall: attendance reports")]
struct Arguments {
    #[command(subcommand)]
    task: command::Command,
}

#[tokio::main]
async fn main() -> ExitCode {
    command::finish(
        command::run(
            "reporting",
            Arguments::parse().task,
            rollcall_reporting::startup::serve,
        )
        .await,
    )
}
