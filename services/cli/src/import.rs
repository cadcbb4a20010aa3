//! `rollcall import …`

pub mod file;
mod recorder;
mod undo;

use std::io::Read;

use clap::{Args, Subcommand};
use rollcall_platform::settings::Settings;
use rollcall_store::{Pool, imports};

use crate::{csv_file::CsvFile, failure::CommandError, output::Output};

const USAGE: &str = "scripts/rollcall import FILE --source NAME [OPTIONS]
       scripts/rollcall import list
       scripts/rollcall import undo ID";

#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    override_usage = USAGE
)]
pub struct Arguments {
    #[command(subcommand)]
    task: Option<Task>,
    // clap recognizes an optional group only if no other group is within it.
    #[command(flatten)]
    csv: Option<CsvFile>,
    #[command(flatten)]
    file: Option<file::ImportFile>,
}

#[derive(Subcommand)]
enum Task {
    /// List the imports, latest first.
    ///
    /// An import without numbers is running or was interrupted.
    List,
    /// Undo an import: its events count no longer, as if it had never taken place.
    ///
    /// Events that a receiver or another import brought too remain. Importing the file again
    /// records the events again. An import can be undone until retention removes one of its events.
    Undo {
        /// ID of the import. scripts/rollcall import list shows it.
        id: i32,
    },
}

/// Runs a command. `input` is the content of the file.
pub async fn run(
    pool: &Pool,
    arguments: Arguments,
    settings: &Settings,
    (yes, quiet): (bool, bool),
    input: impl Read + 'static,
) -> Result<Output, CommandError> {
    match (arguments.task, arguments.csv, arguments.file) {
        (Some(Task::List), ..) => list(pool).await,
        (Some(Task::Undo { id }), ..) => undo::run(pool, settings, id, yes).await,
        (None, Some(csv), Some(file)) => file::run(pool, &csv, &file, settings, input, quiet).await,
        (None, ..) => Err(CommandError::Usage(format!("Usage: {USAGE}"))),
    }
}

async fn list(pool: &Pool) -> Result<Output, CommandError> {
    let found = pool
        .ask(async |connection| imports::list(connection, None).await)
        .await?;
    let columns = &[
        "id",
        "source",
        "file",
        "started_at",
        "person",
        "rows",
        "rejected_rows",
        "accepted_events",
        "undone_at",
    ];
    Ok(Output::many(&found, columns, "There is no import."))
}
