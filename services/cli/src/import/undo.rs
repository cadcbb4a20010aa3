//! `rollcall import undo`

use rollcall_platform::settings::{self, Settings};
use rollcall_store::{
    Pool, advisory_lock,
    failure::Failure,
    imports::{self, Import},
};

use crate::{confirm::confirm, failure::CommandError, output::Output};

/// Time limit. An undo reads whole months of events.
const WAIT_MILLISECONDS: u64 = 60 * 60 * 1000;

pub async fn run(
    pool: &Pool,
    settings: &Settings,
    id: i32,
    yes: bool,
) -> Result<Output, CommandError> {
    let import = find(pool, id).await?;
    confirm(
        &format!(
            "Import {id} of the file {} for the source {} will be undone, and reports change.",
            import.file, import.source
        ),
        yes,
    )?;
    let mut lock = pool.get().await?;
    let is_acquired = advisory_lock::try_acquire(&mut lock, &imports::lock_name(id))
        .await
        .map_err(rollcall_store::Error::from)?;
    if !is_acquired {
        return Err(format!(
            "Import {id} is still running, or is being undone. Wait until this has ended."
        )
        .into());
    }
    let patient = settings::Database {
        wait_milliseconds: WAIT_MILLISECONDS,
        ..settings.database.clone()
    };
    let mut writer = Pool::new(&patient)?.writer(settings.reporting.session_timeout());
    let person = crate::person();
    writer
        .ask(async |connection| imports::undo(connection, id, person.as_deref()).await)
        .await
        .map_err(refusal)?;
    Ok(Output::one(find(pool, id).await?, ""))
}

async fn find(pool: &Pool, id: i32) -> Result<Import, CommandError> {
    let found = pool.ask(async |connection| imports::list(connection, Some(id)).await);
    found.await?.pop().ok_or_else(|| {
        format!("There is no import {id}. List the imports with scripts/rollcall import list.")
            .into()
    })
}

/// Returns the reason why the database refuses to undo an import as it words it.
fn refusal(failure: Failure) -> CommandError {
    match failure {
        Failure::Unknown { sqlstate, message } if sqlstate == imports::REFUSED => message.into(),
        other => other.into(),
    }
}
