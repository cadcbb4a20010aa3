//! `rollcall employee …`

mod import;

use std::io::Read;

use clap::Subcommand;
use diesel_async::AsyncConnection;
use rollcall_attendance::person::Person;
use rollcall_platform::{clock::Clock, settings::Settings};
use rollcall_store::{Pool, calendars, employees};
use serde_json::json;

use crate::{confirm::confirm, failure::CommandError, note, output::Output};

#[derive(Subcommand)]
pub enum Task {
    /// Import mappings of persons to employees from a CSV file of the HR system.
    ///
    /// Usage: scripts/rollcall employee import FILE.csv [--dry-run]. A row with the same person and
    /// `valid_from` as a stored mapping replaces it. A mapping without `valid_to` lasts until the
    /// next one of the person begins. A row that overlaps another mapping is rejected. The other
    /// rows are imported.
    Import(import::ImportFile),
    /// List the mappings, or the persons that are mapped to no employee today.
    List {
        /// List the persons with a session that are mapped to no employee today.
        #[arg(long)]
        unmapped: bool,
    },
    /// Remove all mappings of a person.
    Remove {
        /// User name, in upper or lower case.
        user: String,
        /// Realm, in upper or lower case.
        #[arg(long, default_value = rollcall_attendance::DEFAULT_REALM)]
        realm: String,
    },
}

/// Runs a command. `input` is the content of the file.
pub async fn run(
    pool: &Pool,
    task: Task,
    settings: &Settings,
    yes: bool,
    input: impl Read + 'static,
) -> Result<Output, CommandError> {
    match task {
        Task::Import(file) => import::run(&file, settings, input).await,
        Task::List { unmapped: false } => list(pool).await,
        Task::List { unmapped: true } => unmapped(pool, settings).await,
        Task::Remove { user, realm } => remove(pool, &user, &realm, yes).await,
    }
}

async fn list(pool: &Pool) -> Result<Output, CommandError> {
    let mappings = pool
        .ask(async |connection| employees::list(connection).await)
        .await?;
    let none = "No person is mapped to an employee. Import mappings with scripts/rollcall employee \
                import FILE.csv.";
    Ok(Output::many(&mappings, &[], none))
}

async fn unmapped(pool: &Pool, settings: &Settings) -> Result<Output, CommandError> {
    let today = calendars::default(&settings.reporting).day_of(Clock::System.now())?;
    let persons = pool
        .ask(async |connection| employees::unmapped(connection, today).await)
        .await?;
    let none = "Every person with a session is mapped to an employee today.";
    Ok(Output::many(&persons, &[], none))
}

async fn remove(pool: &Pool, user: &str, realm: &str, yes: bool) -> Result<Output, CommandError> {
    let name = format!("{user} ({realm})");
    confirm(
        &format!("All mappings of {name} will be removed, and reports change."),
        yes,
    )?;
    let person = Person::new(user, Some(realm));
    let removed = pool.ask(async |connection| {
        connection
            .transaction(async |connection| {
                employees::lock(connection).await?;
                let removed = employees::remove(connection, &person).await?;
                note(connection, "employee.remove", &name, removed > 0).await?;
                Ok::<_, rollcall_store::Error>(removed)
            })
            .await
    });
    match removed.await? {
        0 => Err(format!(
            "The person {name} is mapped to no employee. List the mappings with scripts/rollcall \
             employee list, and give --realm if the realm is not Default."
        )
        .into()),
        removed => Ok(Output::one(
            json!({"user": user, "realm": realm, "removed": removed}),
            "",
        )),
    }
}
