//! Binary of the service `auth`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rollcall_platform::{clock::Clock, command, settings::Settings};

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
async fn main() -> ExitCode {
    command::finish(match Arguments::parse().task {
        Task::Common(task) => command::run("auth", task, rollcall_auth::startup::serve).await,
        Task::RotateKey => rotate_key(),
    })
}

fn rotate_key() -> Result<(), command::Failure> {
    println!(
        "{}",
        rollcall_auth::keys::rotate(&Settings::load()?, &Clock::System)?
    );
    Ok(())
}
