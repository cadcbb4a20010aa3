//! Binary of the service `ingestion`.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use rollcall_platform::command;

/// Memory is often freed by another thread than the one that allocated it. With the system's
/// allocator an event takes 8 % longer.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

// The writers, RADIUS and syslog share one thread, so that waking a task does not wait for another
// core. The HTTP workers have their own threads.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    command::main(
        "ingestion",
        "Rollcall: receives and records events from sources",
        rollcall_ingestion::startup::serve,
    )
    .await
}
