//! Records a batch of events of which some may be invalid.

use futures::{FutureExt, future::BoxFuture};

use crate::{
    events::{self, Outcome, Reported},
    failure::Failure,
    imports,
    recording::Writer,
    set_aside,
};

/// Outcome of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// The outcome in the database.
    As(Outcome),
    /// The database refused this event, with the reason. The other events of the batch are
    /// recorded.
    Refused(String),
}

/// The database does not answer, so the event may not be recorded. The cause is in the log. Sending
/// the event again is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the database does not answer")]
pub struct Unavailable;

/// Outcome of each event of a batch, in order. Events can fail independently.
pub type Outcomes = Vec<Result<Recorded, Unavailable>>;

/// Records a batch in one transaction. If the database refuses an event, the batch is halved until
/// that event is alone.
pub fn record<'a>(writer: &'a mut Writer, batch: &'a [Reported]) -> BoxFuture<'a, Outcomes> {
    record_from(writer, batch, None)
}

/// Records a batch of an import, and notes which events the import brought. See [`record`].
pub fn record_import<'a>(
    writer: &'a mut Writer,
    import: i32,
    batch: &'a [Reported],
) -> BoxFuture<'a, Outcomes> {
    record_from(writer, batch, Some(import))
}

fn record_from<'a>(
    writer: &'a mut Writer,
    batch: &'a [Reported],
    import: Option<i32>,
) -> BoxFuture<'a, Outcomes> {
    async move {
        let written =
            writer.ask(async |connection| events::record_from(connection, batch, import).await);
        match (written.await, batch) {
            (Ok(outcomes), _) => outcomes
                .into_iter()
                .map(|outcome| Ok(Recorded::As(outcome)))
                .collect(),
            (Err(Failure::Unavailable(cause)), _) => {
                tracing::error!(
                    %cause,
                    events = batch.len(),
                    "Failed to record events: the database does not answer"
                );
                vec![Err(Unavailable); batch.len()]
            }
            (Err(Failure::Refused(why)), [_]) => vec![Ok(Recorded::Refused(why))],
            (Err(Failure::Unknown { sqlstate, message }), [reported]) => {
                vec![set_aside(writer, reported, import, &sqlstate, &message).await]
            }
            (Err(_), _) => {
                let (left, right) = batch.split_at(batch.len() / 2);
                let mut outcomes = record_from(writer, left, import).await;
                outcomes.extend(record_from(writer, right, import).await);
                outcomes
            }
        }
    }
    .boxed()
}

async fn set_aside(
    writer: &mut Writer,
    reported: &Reported,
    import: Option<i32>,
    sqlstate: &str,
    message: &str,
) -> Result<Recorded, Unavailable> {
    let (source_id, event_id) = (reported.source_id, &reported.event.event_id);
    tracing::error!(
        source_id,
        event_id,
        sqlstate,
        message,
        "Setting an event aside, because the database refused it"
    );
    let added = writer.ask(async |connection| {
        set_aside::add(connection, reported, sqlstate, message).await?;
        match import {
            Some(import) => imports::note_set_aside(connection, import, reported).await,
            None => Ok(()),
        }
    });
    added
        .await
        .map(|()| Recorded::As(Outcome::SetAside))
        .map_err(|error| {
            tracing::error!(%error, source_id, event_id, "Failed to set an event aside");
            Unavailable
        })
}
