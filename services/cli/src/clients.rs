//! `rollcall client …`

use clap::{Subcommand, ValueEnum};
use rollcall_platform::{clock::Clock, command::Failure, token};
use rollcall_store::{Pool, api_clients};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::json;

use crate::{generate, note, output::Output};

#[derive(Subcommand)]
pub enum Task {
    /// Add a client with a generated password, which is shown only once.
    Add {
        /// User name. The default is a generated name.
        #[arg(long)]
        name: Option<String>,
        /// Scope of the client's tokens; may be repeated.
        #[arg(long = "scope", default_value = "reporting:read")]
        scopes: Vec<Scope>,
    },
    /// List the clients and their locks.
    List,
    /// Disable a client. It gets no new tokens, and its existing tokens are rejected at once.
    Disable {
        /// Its user name.
        name: String,
    },
    /// Remove all locks of a client, so that it can sign in again at once.
    Unlock {
        /// Its user name.
        name: String,
    },
    /// Enable and unlock a client and give it a new password, which is shown only once.
    Rotate {
        /// Its user name.
        name: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Scope {
    #[value(name = token::REPORTING_READ)]
    ReportingRead,
    #[value(name = token::ADMIN)]
    Admin,
}

#[derive(Serialize)]
struct Credentials<'a> {
    username: &'a str,
    password: &'a str,
}

const ONCE: &str = "The password is shown only once.";

pub async fn run(pool: &Pool, task: Task) -> Result<Output, Failure> {
    match task {
        Task::Add { name, scopes } => {
            add(pool, name.unwrap_or_else(generate::user_name), &scopes).await
        }
        Task::List => {
            let now = Clock::System.now();
            let clients = pool
                .ask(async |connection| api_clients::list(connection, now).await)
                .await?;
            Ok(Output::many(
                &clients,
                "There is no API client. Add one with: scripts/rollcall client add",
            ))
        }
        Task::Disable { name } => {
            let now = Clock::System.now();
            let known = pool.ask(async |connection| {
                let known = api_clients::disable(connection, &name, now).await?;
                note(connection, "client.disable", &name, known).await
            });
            known.await?.then_some(()).ok_or_else(|| unknown(&name))?;
            Ok(Output::one(
                json!({"username": name}),
                "It gets no new tokens. Its existing tokens are rejected from now on.",
            ))
        }
        Task::Unlock { name } => {
            let known = pool.ask(async |connection| {
                let known = api_clients::unlock(connection, &name).await?;
                note(connection, "client.unlock", &name, known).await
            });
            known.await?.then_some(()).ok_or_else(|| unknown(&name))?;
            Ok(Output::one(
                json!({"username": name}),
                "All locks of the client are removed.",
            ))
        }
        Task::Rotate { name } => {
            let password = generate::password();
            let hash = hash(&password)?;
            let known = pool.ask(async |connection| {
                let known = api_clients::rotate(connection, &name, &hash).await?;
                note(connection, "client.rotate", &name, known).await
            });
            known.await?.then_some(()).ok_or_else(|| unknown(&name))?;
            Ok(Output::one(
                Credentials {
                    username: &name,
                    password: password.expose_secret(),
                },
                ONCE,
            ))
        }
    }
}

async fn add(pool: &Pool, name: String, scopes: &[Scope]) -> Result<Output, Failure> {
    let good = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte));
    if !good {
        return Err(format!(
            "--name: got {name:?}, takes 1 to 64 letters, digits, '-', '_', '.' or '@'"
        )
        .into());
    }
    let password = generate::password();
    let hash = hash(&password)?;
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
    added
        .await?
        .then_some(())
        .ok_or_else(|| format!("an API client named {name} already exists"))?;
    Ok(Output::one(
        Credentials {
            username: &name,
            password: password.expose_secret(),
        },
        ONCE,
    ))
}

fn hash(password: &SecretString) -> Result<String, Failure> {
    rollcall_auth::passwords::hash(password).map_err(|error| error.to_string().into())
}

fn unknown(name: &str) -> Failure {
    format!("there is no API client named {name}: see scripts/rollcall client list").into()
}
