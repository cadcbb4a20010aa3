//! The operator's command line: API clients and sources.

mod audit;
mod clients;
mod demo;
mod generate;
mod import;
mod output;
mod replay;
mod sessions;
mod sources;
mod try_rule;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use diesel_async::AsyncPgConnection;
use rollcall_platform::{
    clock::Clock,
    command::{self, Failure},
    settings::Settings,
};
use rollcall_store::{Pool, audit_log};
use serde_json::json;

use crate::output::Output;

/// What the audit log names as the actor.
const ACTOR: &str = "operator";

/// Environment variable with the login name of the person at the command line; scripts/rollcall
/// sets it.
const PERSON: &str = "OPERATOR_PERSON";

#[derive(Parser)]
#[command(
    name = "rollcall",
    version,
    about = "Rollcall: the operator's command line"
)]
struct Arguments {
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Subcommand)]
enum Subject {
    /// API clients: who may ask for tokens.
    #[command(subcommand)]
    Client(clients::Task),
    /// Sources: the gateways that report sessions.
    #[command(subcommand)]
    Source(sources::Task),
    /// Sessions: the evidence behind a report's row.
    #[command(subcommand)]
    Session(sessions::Task),
    /// The audit log: who did what.
    #[command(subcommand)]
    Audit(audit::Task),
    /// Read sessions from CSV on standard input; refused rows go to standard output, progress and sum to standard error.
    Import(import::Task),
    /// Print two weeks of sample events as NDJSON; scripts/demo sends them.
    DemoEvents,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let standard_output_is_taken = matches!(arguments.subject, Subject::Import(_));
    command::finish(run(arguments.subject).await.map(|output| {
        let text = output.shown(arguments.json);
        if standard_output_is_taken {
            eprintln!("{text}");
        } else {
            println!("{text}");
        }
    }))
}

async fn run(subject: Subject) -> Result<Output, Failure> {
    let settings = Settings::load()?;
    let pool = Pool::new(&settings.database)?;
    let outcome = match subject {
        Subject::Client(task) => clients::run(&pool, task).await,
        Subject::Source(task) => sources::run(&pool, task, &settings.ingestion).await,
        Subject::Session(task) => sessions::run(&pool, task, &settings.reporting).await,
        Subject::Audit(task) => audit::run(&pool, task, &settings.reporting).await,
        Subject::Import(task) => {
            import::run(&pool, &task, &settings, std::io::stdin(), std::io::stdout()).await
        }
        Subject::DemoEvents => {
            return Ok(Output::lines(&demo::events(
                &settings.reporting.time_zone,
                Clock::System.now(),
            )));
        }
    };
    match outcome {
        // The tables may be missing: say so rather than what Postgres says.
        Err(error) => match error.downcast::<rollcall_store::Error>() {
            Ok(error) => Err(pool.explain(*error).await.into()),
            Err(error) => Err(error),
        },
        done => done,
    }
}

/// Writes an audit entry about an action on `name`, before the result is printed. The person is the
/// one that the shell states. Any user of Docker on this host can state another person.
async fn note(
    connection: &mut AsyncPgConnection,
    action: &str,
    name: &str,
    done: bool,
) -> Result<bool, rollcall_store::Error> {
    if done {
        let person = std::env::var(PERSON).ok();
        let detail = json!({"name": name, "person": person});
        audit_log::write(connection, ACTOR, action, detail).await?;
    }
    Ok(done)
}
