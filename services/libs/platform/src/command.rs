//! The command line that all services share.

use std::process::ExitCode;

use clap::Subcommand;

use crate::{health, settings::Settings, telemetry};

/// What a service's binary is asked to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Serve requests until SIGTERM.
    Serve,
    /// Ask the service that runs here whether it is ready.
    Health,
}

/// Whatever stops a command, for people to read.
pub type Failure = Box<dyn std::error::Error>;

/// Runs `command`; `serve` is the service's own.
///
/// # Errors
/// What went wrong.
pub async fn run<F, A>(name: &'static str, command: Command, serve: F) -> Result<(), Failure>
where
    F: FnOnce(Settings) -> A,
    A: Future<Output = Result<(), Failure>>,
{
    let settings = Settings::load()?;
    match command {
        Command::Health => Ok(health::probe(settings.server.internal_address.port()).await?),
        Command::Serve => {
            let telemetry = telemetry::start(name, &settings.telemetry)?;
            let outcome = serve(settings).await;
            if let Err(error) = &outcome {
                tracing::error!(%error, "stopped");
            }
            telemetry.stop();
            outcome
        }
    }
}

/// Says on standard error what went wrong, if something did.
#[must_use]
pub fn finish(outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
