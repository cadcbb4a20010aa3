//! `rollcall source replay`: records the events that were set aside.

use jiff::SignedDuration;
use rollcall_store::{Pool, failure::Failure, set_aside, sources};
use serde::Serialize;

use crate::{failure::CommandError, output::Output, sources::unknown};

#[derive(Default, Serialize)]
struct Summary {
    replayed: u64,
    still_refused: u64,
    /// Event ID of the first event that the database refused again, and the error.
    first_reason: Option<String>,
}

/// Replays each event in a transaction of its own, in the order of arrival.
pub async fn run(
    pool: &Pool,
    name: &str,
    session_timeout: SignedDuration,
) -> Result<Output, CommandError> {
    let source_id = pool
        .ask(async |connection| sources::id_of(connection, name).await)
        .await?
        .ok_or_else(|| unknown(name))?;
    let mut writer = pool.writer(session_timeout);
    let events = writer
        .ask(async |connection| set_aside::of_source(connection, source_id).await)
        .await?;
    let mut summary = Summary::default();
    for event in &events {
        let replayed = writer
            .ask(async |connection| set_aside::replay(connection, event).await)
            .await;
        match replayed {
            Ok(is_replayed) => summary.replayed += u64::from(is_replayed),
            Err(error @ Failure::Unavailable(_)) => return Err(error.into()),
            Err(error) => {
                summary.still_refused += 1;
                let reason = format!("{}: {error}", event.event.event_id);
                summary.first_reason.get_or_insert(reason);
            }
        }
    }
    let is_incomplete = summary.still_refused > 0;
    Ok(Output::one(summary, "").failed_if(is_incomplete))
}
