//! Binary of the service `auth`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;
use rollcall_platform::{clock::Clock, command, settings::Settings};
use rollcall_store::{Pool, audit_log};
use serde_json::json;

/// The system's allocator does not return the memory that each of many threads once used. mimalloc
/// does.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[derive(Parser)]
#[command(version, about = "Rollcall: signs API clients in and issues tokens")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    #[command(flatten)]
    Common(command::Command),
    /// Create a signing key. It is published at once and signs after `auth.key_publish_seconds`.
    RotateKey {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    command::finish(match Arguments::parse().task {
        Task::Common(task) => command::run("auth", task, rollcall_auth::startup::serve).await,
        Task::RotateKey { json } => rotate_key(json).await,
    })
}

/// Creates a signing key. The audit entry is written first, so that no key exists without an
/// entry.
async fn rotate_key(json: bool) -> Result<(), command::Failure> {
    let settings = Settings::load()?;
    let pool = Pool::new(&settings.database)?;
    let written = pool.ask(async |connection| {
        let detail = json!({"key_bits": settings.auth.key_bits});
        audit_log::write(connection, "operator", "key.rotate", detail).await
    });
    written.await?;
    let seconds = rollcall_auth::keys::rotate(&settings, &Clock::System)?;
    if json {
        println!("{}", json!({"signs_in_seconds": seconds}));
    } else {
        println!("A new key is published. It signs in {seconds} seconds.");
    }
    Ok(())
}
