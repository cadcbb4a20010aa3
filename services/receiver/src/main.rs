//! Binary of the datagram receiver.

use std::process::ExitCode;

use rollcall_platform::command;

// One thread is enough to forward datagrams. Handing them to a second thread costs more than it
// saves.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    command::main(
        "receiver",
        "Rollcall: receives RADIUS and syslog datagrams from sources",
        rollcall_receiver::startup::serve,
    )
    .await
}
