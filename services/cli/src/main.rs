//! The operator's command line.

mod arguments;
mod audit;
mod calendars;
mod clients;
mod confirm;
mod csv_file;
mod demo;
mod employees;
mod failure;
mod generate;
mod import;
mod live;
mod names;
mod output;
mod progress;
mod rejects;
mod replay;
mod report;
mod sessions;
mod sources;
mod try_rules;

use std::process::ExitCode;

use diesel_async::AsyncPgConnection;
use jiff::tz::TimeZone;
use rollcall_platform::{clock::Clock, settings::Settings};
use rollcall_store::{Pool, audit_log};
use serde_json::json;

use crate::{
    arguments::{Arguments, Subject},
    failure::CommandError,
    output::{Output, Style},
    report::Look,
};

/// Actor in the audit log.
const ACTOR: &str = "operator";

/// Environment variable with the login name of the person at the command line. scripts/rollcall
/// sets it.
const PERSON: &str = "OPERATOR_PERSON";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = arguments::parse();
    let json = arguments.json;
    match run(arguments).await {
        Ok(code) => code,
        Err(error) => error.report(json),
    }
}

async fn run(arguments: Arguments) -> Result<ExitCode, CommandError> {
    let settings = Settings::load()?;
    let zone = if arguments.utc {
        TimeZone::UTC
    } else {
        settings.reporting.time_zone.clone()
    };
    let style = Style {
        json: arguments.json,
        quiet: arguments.quiet,
        zone,
    };
    let pool = Pool::new(&settings.database)?;
    let output = match execute(&pool, arguments, &settings).await {
        // If tables are missing, say so instead of repeating the message of PostgreSQL.
        Err(CommandError::Failed(error)) => match error.downcast::<rollcall_store::Error>() {
            Ok(error) => return Err(pool.explain(*error).await.into()),
            Err(error) => return Err(CommandError::Failed(error)),
        },
        outcome => outcome?,
    };
    let text = output.text(&style);
    if !text.is_empty() {
        println!("{text}");
    }
    Ok(ExitCode::from(u8::from(output.has_failed())))
}

async fn execute(
    pool: &Pool,
    arguments: Arguments,
    settings: &Settings,
) -> Result<Output, CommandError> {
    let Arguments {
        json,
        quiet,
        utc,
        yes,
        ..
    } = arguments;
    match arguments.subject {
        Subject::Client(task) => clients::run(pool, task, yes, quiet).await,
        Subject::Source(task) => sources::run(pool, task, yes, settings).await,
        Subject::Session(task) => sessions::run(pool, task, &settings.reporting).await,
        Subject::Live => live::run(pool, &settings.reporting).await,
        Subject::Report(report) => {
            report::run(pool, report, settings, Look { json, quiet, utc }).await
        }
        Subject::Calendar(task) => calendars::run(pool, task, &settings.reporting).await,
        Subject::Employee(task) => {
            employees::run(pool, task, settings, yes, std::io::stdin()).await
        }
        Subject::Audit(task) => audit::run(pool, task, &settings.reporting).await,
        Subject::Import(task) => {
            import::run(pool, task, settings, (yes, quiet), std::io::stdin()).await
        }
        Subject::Key(arguments::KeyTask::Rotate) => Err(CommandError::Usage(
            "The signing keys are accessible only to the service auth. Run scripts/rollcall key \
             rotate."
                .into(),
        )),
        Subject::DemoEvents => {
            let now = Clock::System.now();
            let events = demo::events(&settings.reporting.time_zone, now);
            Ok(Output::lines(&events))
        }
        // Settings::load has checked them.
        Subject::CheckSettings => Ok(Output::one(json!({"settings": "valid"}), "")),
    }
}

/// Makes a change to `name` and writes the audit entry. Returns false, without an entry, if
/// `change` returns false, because there is nothing with this name.
async fn change<E>(
    pool: &Pool,
    action: &str,
    name: &str,
    change: impl AsyncFnOnce(&mut AsyncPgConnection) -> Result<bool, E>,
) -> Result<bool, rollcall_store::Error>
where
    rollcall_store::Error: From<E>,
{
    pool.ask::<_, rollcall_store::Error, _>(async |connection| {
        let done = change(connection)
            .await
            .map_err(rollcall_store::Error::from)?;
        note(connection, action, name, done).await
    })
    .await
}

/// Returns the login name of the person at the command line. The person is the one that the shell
/// states. Any user of Docker on this host can state another person.
fn person() -> Option<String> {
    std::env::var(PERSON).ok()
}

/// Writes an audit entry about an action on `name`, before the result is printed.
async fn note(
    connection: &mut AsyncPgConnection,
    action: &str,
    name: &str,
    done: bool,
) -> Result<bool, rollcall_store::Error> {
    if done {
        let detail = json!({"name": name, "person": person()});
        audit_log::write(connection, ACTOR, action, detail).await?;
    }
    Ok(done)
}
