//! Command line of the service binaries.

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{health, settings::Settings, telemetry};

/// Subcommand of a service binary.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Serve requests until SIGTERM.
    Serve,
    /// Check whether the service in this container is ready.
    Health,
}

#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    task: Command,
}

/// Error that ends a command, as text for the operator.
pub type Failure = Box<dyn std::error::Error>;

/// Parses the command line of a service without further commands, and runs the command. `about`
/// describes the service in its help.
pub async fn main<F, A>(name: &'static str, about: &'static str, serve: F) -> ExitCode
where
    F: FnOnce(Settings) -> A,
    A: Future<Output = Result<(), Failure>>,
{
    let matches = Arguments::command().name(name).about(about).get_matches();
    match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => finish(run(name, arguments.task, serve).await),
        Err(error) => error.exit(),
    }
}

/// Runs `command`. `serve` starts the service and returns when it has stopped.
///
/// # Errors
/// The settings or telemetry are invalid, or the command failed.
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
                tracing::error!(%error, "Service stopped: {error}");
            }
            telemetry.stop();
            outcome
        }
    }
}

/// Prints the error, if any, to standard error and returns the exit code.
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
