//! Binary of the service `ingestion`.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use rollcall_platform::command;

/// Memory is often given back in another thread than it was taken in: the system's allocator makes an event cost a twelfth more.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[derive(Parser)]
#[command(version, about = "Rollcall: events of sources")]
struct Arguments {
    #[command(subcommand)]
    task: command::Command,
}

// The writers, RADIUS and syslog share one thread, so that none waits to be woken on another core. HTTP's workers have their own.
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
