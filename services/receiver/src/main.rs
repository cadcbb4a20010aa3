//! Binary of the datagram receiver.

use std::process::ExitCode;

use clap::Parser;
use rollcall_platform::command;

#[derive(Parser)]
#[command(version, about = "Rollcall: datagrams of sources")]
struct Arguments {
    #[command(subcommand)]
    task: command::Command,
}

// One thread: it only moves datagrams, and a second would cost more than it takes over.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    command::finish(
        command::run(
            "receiver",
            Arguments::parse().task,
            rollcall_receiver::startup::serve,
        )
        .await,
    )
}
