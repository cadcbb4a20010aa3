//! Binary of the service `auth`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;
use rollcall_platform::{clock::Clock, command, settings::Settings};
use rollcall_store::{Pool, audit_log};
use serde_json::json;

/// Keeps memory flat where many threads allocate: the system's allocator keeps what each thread once had.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

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
        Task::RotateKey => rotate_key().await,
    })
}

/// Writes the audit entry first: without it there is no new key.
async fn rotate_key() -> Result<(), command::Failure> {
    let settings = Settings::load()?;
    let pool = Pool::new(&settings.database)?;
    let written = pool.ask(async |connection| {
        let detail = json!({"key_bits": settings.auth.key_bits});
        audit_log::write(connection, "operator", "key.rotate", detail).await
    });
    written.await?;
    println!(
        "{}",
        rollcall_auth::keys::rotate(&settings, &Clock::System)?
    );
    Ok(())
}
