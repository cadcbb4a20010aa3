//! Binary of the service `ingestion`.

use std::process::ExitCode;

use clap::Parser;
use platform::command;

#[derive(Parser)]
#[command(version, about = "Rollcall: events of sources")]
struct Arguments {
    #[command(subcommand)]
    task: command::Command,
}

#[tokio::main]
async fn main() -> ExitCode {
    command::finish(command::run("ingestion", Arguments::parse().task, ingestion::startup::serve).await)
}
