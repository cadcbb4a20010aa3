//! Binary of the service `auth`.

use clap::{Parser, Subcommand};
use platform::{clock::Clock, command, settings::Settings};

#[derive(Parser)]
#[command(version, about = "Rollcall: tokens and API clients")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    #[command(flatten)]
    Common(command::Command),
    /// Make a new signing key. It is published at once and signs after `auth.key_publish_seconds`.
    RotateKey,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    match Arguments::parse().task {
        Task::Common(task) => command::run("auth", task, async |settings| auth::startup::serve(settings).await).await,
        Task::RotateKey => {
            println!("{}", auth::keys::rotate(&Settings::load()?, &Clock::System)?);
            Ok(())
        }
    }
}
