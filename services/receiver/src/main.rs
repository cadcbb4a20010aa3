//! Binary of the datagram receiver.

use std::process::ExitCode;

use clap::Parser;
use rollcall_platform::command;

#[derive(Parser)]
#[command(
    version,
    about = "Rollcall: receives RADIUS and syslog datagrams from sources"
)]
struct Arguments {
    #[command(subcommand)]
    task: command::Command,
}

// One thread is enough to forward datagrams. Handing them to a second thread costs more than it
// saves.
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
