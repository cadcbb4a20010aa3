//! Binary of the service `ingestion`.

use clap::Parser;
use platform::command;

#[derive(Parser)]
#[command(version, about = "Rollcall: events of sources")]
struct Arguments {
    #[command(subcommand)]
    task: command::Command,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    command::run("ingestion", Arguments::parse().task, async |settings| ingestion::startup::serve(settings).await).await
}
