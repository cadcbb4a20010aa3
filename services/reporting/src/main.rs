//! Binary of the service `reporting`.

use clap::Parser;
use platform::command;

#[derive(Parser)]
#[command(version, about = "Rollcall: attendance reports")]
struct Arguments {
    #[command(subcommand)]
    task: command::Command,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    command::run("reporting", Arguments::parse().task, async |settings| reporting::startup::serve(settings).await).await
}
