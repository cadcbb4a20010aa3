//! `rollcall source …`

use clap::Subcommand;
use ingestion::source_key::key_hash;
use platform::{clock::Clock, command::Failure};
use serde::Serialize;
use serde_json::json;
use store::{Pool, sources};

use crate::{generate, note, output::Output};

#[derive(Subcommand)]
pub enum Task {
    /// Add a source with a generated key, which is shown this once.
    Add {
        /// What it is called: 1 to 64 letters, digits, '-', '_' or '.'.
        name: String,
    },
    /// List the sources.
    List,
    /// Let a source report no more, from 5 seconds on. What it reported stays.
    Disable {
        /// Its name.
        name: String,
    },
    /// Give a source a new key, which is shown this once; enables it.
    RotateKey {
        /// Its name.
        name: String,
    },
}

#[derive(Serialize)]
struct Key<'a> {
    name: &'a str,
    key: &'a str,
}

const ONCE: &str = "The key is shown this once.";

pub async fn run(pool: &Pool, task: Task) -> Result<Output, Failure> {
    match task {
        Task::Add { name } => add(pool, &name).await,
        Task::List => {
            let sources = pool.ask(async |connection| sources::list(connection).await).await?;
            Ok(Output::many(&sources, "There is no source. Add one with: scripts/rollcall source add NAME"))
        }
        Task::Disable { name } => {
            let now = Clock::System.now();
            let known = pool.ask(async |connection| {
                let known = sources::disable(connection, &name, now).await?;
                note(connection, "source.disable", &name, known).await
            });
            known.await?.then_some(()).ok_or_else(|| unknown(&name))?;
            Ok(Output::one(json!({"name": name}), "It can report no more, from 5 seconds on."))
        }
        Task::RotateKey { name } => {
            let key = generate::source_key();
            let known = pool.ask(async |connection| {
                let known = sources::rotate_key(connection, &name, &key_hash(&key)).await?;
                note(connection, "source.rotate-key", &name, known).await
            });
            known.await?.then_some(()).ok_or_else(|| unknown(&name))?;
            Ok(Output::one(Key { name: &name, key: &key }, ONCE))
        }
    }
}

async fn add(pool: &Pool, name: &str) -> Result<Output, Failure> {
    let good = (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if !good {
        return Err(format!("NAME: got {name:?}, takes 1 to 64 letters, digits, '-', '_' or '.'").into());
    }
    let key = generate::source_key();
    let added = pool.ask(async |connection| {
        let added = sources::add(connection, name, &key_hash(&key)).await?;
        note(connection, "source.add", name, added).await
    });
    added.await?.then_some(()).ok_or_else(|| format!("there is a source named {name} already"))?;
    Ok(Output::one(Key { name, key: &key }, ONCE))
}

fn unknown(name: &str) -> Failure {
    format!("there is no source named {name}: see scripts/rollcall source list").into()
}
