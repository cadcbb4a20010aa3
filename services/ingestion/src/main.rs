//! Binary of the service `ingestion`.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use rollcall_platform::command;

/// Memory is often freed by another thread than the one that allocated it. With the system's
/// allocator an event takes 8 % longer.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[derive(Parser)]
#[command(version, about = "Rollcall: receives and records events from sources")]
struct Arguments {
    #[command(subcommand)]
    task: command::Command,
}

// The writers, RADIUS and syslog share one thread, so that waking a task does not wait for another
// core. The HTTP workers have their own threads.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    command::finish(
        command::run(
            "ingestion",
            Arguments::parse().task,
            rollcall_ingestion::startup::serve,
        )
        .await,
    )
}
