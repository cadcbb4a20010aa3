//! `rollcall client …`

use clap::{Subcommand, ValueEnum};
use rollcall_credentials::passwords;
use rollcall_platform::{clock::Clock, token};
use rollcall_store::{
    Pool,
    api_clients::{self, ApiClient},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::{
    change, confirm::confirm, failure::CommandError, generate, names, note, output::Output,
};

#[derive(Subcommand)]
pub enum Task {
    /// Add a client with a generated password, which is shown only once.
    Add {
        /// User name. The default is a generated name.
        name: Option<String>,
        /// User name, as NAME.
        #[arg(long = "name", value_name = "NAME", conflicts_with = "name")]
        name_option: Option<String>,
        /// Scope of the client's tokens; may be repeated.
        #[arg(long = "scope", default_value = "reporting:read")]
        scopes: Vec<Scope>,
    },
    /// List the clients and their locks.
    List,
    /// Disable a client: it gets no new tokens, and its tokens are rejected at once.
    Disable {
        /// User name of the client.
        name: String,
    },
    /// Remove all locks of a client, so that it can sign in again at once.
    Unlock {
        /// User name of the client.
        name: String,
    },
    /// Enable and unlock a client and give it a new password, which is shown only once.
    Rotate {
        /// User name of the client.
        name: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Scope {
    /// Read reports.
    #[value(name = token::REPORTING_READ)]
    ReportingRead,
    /// Change the employee mapping on the console.
    #[value(name = token::ATTENDANCE_WRITE)]
    AttendanceWrite,
    /// Introspect the tokens of all clients, and see the state of the system on the console.
    #[value(name = token::ADMIN)]
    Admin,
}

/// Columns of the list for people.
const COLUMNS: [&str; 6] = [
    "name",
    "scope",
    "created_at",
    "disabled_at",
    "locked_until",
    "new_addresses_closed_until",
];

pub async fn run(pool: &Pool, task: Task, yes: bool, quiet: bool) -> Result<Output, CommandError> {
    match task {
        Task::Add {
            name,
            name_option,
            scopes,
        } => match name.or(name_option) {
            None if quiet => Err(CommandError::Usage(
                "--quiet requires NAME, because it does not print a generated name.".into(),
            )),
            name => add(pool, name.unwrap_or_else(generate::user_name), &scopes).await,
        },
        Task::List => list(pool).await,
        Task::Disable { name } => {
            find(pool, &name).await?;
            let consequence = format!("The client {name} will be disconnected at once.");
            confirm(&consequence, yes)?;
            disable(pool, &name).await
        }
        Task::Unlock { name } => unlock(pool, &name).await,
        Task::Rotate { name } => {
            find(pool, &name).await?;
            let consequence =
                format!("The present password of the client {name} will stop working at once.");
            confirm(&consequence, yes)?;
            rotate(pool, &name).await
        }
    }
}

/// Returns the client with this name.
async fn find(pool: &Pool, name: &str) -> Result<ApiClient, CommandError> {
    let now = Clock::System.now();
    let clients = pool.ask(async |connection| api_clients::list(connection, now).await);
    let found = clients
        .await?
        .into_iter()
        .find(|client| client.name == name);
    found.ok_or_else(|| unknown(name).into())
}

async fn disable(pool: &Pool, name: &str) -> Result<Output, CommandError> {
    let now = Clock::System.now();
    let known = change(pool, "client.disable", name, async |connection| {
        api_clients::disable(connection, name, now).await
    });
    known.await?.then_some(()).ok_or_else(|| unknown(name))?;
    Ok(Output::one(
        json!({"username": name}),
        "The client is disabled. It gets no new tokens, and its tokens are rejected.",
    ))
}

async fn unlock(pool: &Pool, name: &str) -> Result<Output, CommandError> {
    let known = change(pool, "client.unlock", name, async |connection| {
        api_clients::unlock(connection, name).await
    });
    known.await?.then_some(()).ok_or_else(|| unknown(name))?;
    let output = Output::one(
        json!({"username": name}),
        "All locks of the client are removed.",
    );
    if find(pool, name).await?.disabled_at.is_none() {
        return Ok(output);
    }
    Ok(output.note(&format!(
        "The client is still disabled. To enable it, run scripts/rollcall client rotate {name}."
    )))
}

async fn rotate(pool: &Pool, name: &str) -> Result<Output, CommandError> {
    let password = generate::password();
    let hash = passwords::hash(&password).map_err(|error| error.to_string())?;
    let known = change(pool, "client.rotate", name, async |connection| {
        api_clients::rotate(connection, name, &hash).await
    });
    known.await?.then_some(()).ok_or_else(|| unknown(name))?;
    Ok(credentials(name, &password))
}

async fn add(pool: &Pool, name: String, scopes: &[Scope]) -> Result<Output, CommandError> {
    names::check(&name, "-_.@")?;
    let password = generate::password();
    let hash = passwords::hash(&password).map_err(|error| error.to_string())?;
    let scope: Vec<String> = scopes
        .iter()
        .filter_map(ValueEnum::to_possible_value)
        .map(|value| value.get_name().to_owned())
        .collect();
    let scope = scope.join(" ");
    let added = pool.ask(async |connection| {
        let added = api_clients::add(connection, &name, &hash, &scope).await?;
        note(connection, "client.add", &name, added).await
    });
    added.await?.then_some(()).ok_or_else(|| {
        format!(
            "An API client named {name} already exists. Choose another name, or give it a new \
             password with scripts/rollcall client rotate {name}."
        )
    })?;
    Ok(credentials(&name, &password))
}

async fn list(pool: &Pool) -> Result<Output, CommandError> {
    let now = Clock::System.now();
    let clients = pool
        .ask(async |connection| api_clients::list(connection, now).await)
        .await?;
    let none = "There is no API client. Add one with scripts/rollcall client add.";
    Ok(Output::many(&clients, &COLUMNS, none))
}

fn credentials(name: &str, password: &SecretString) -> Output {
    let password = password.expose_secret();
    Output::one(
        json!({"username": name, "password": password}),
        "The password is shown only once.",
    )
    .secrets(&[password])
}

fn unknown(name: &str) -> String {
    format!(
        "There is no API client named {name}. List the clients with scripts/rollcall client list."
    )
}
