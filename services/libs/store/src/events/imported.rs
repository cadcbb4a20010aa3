//! The part of recording events that imports need.

use std::collections::BTreeMap;

use tokio_postgres::Error;

use super::{EventKey, KnownEvents, NewEvents, Outcome, Reported, key, look_up, outcome};
use crate::{
    imports,
    recording::{Recording, array},
};

/// Returns what [`super::record`] would return, and records nothing.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.events.preview", skip_all)]
pub async fn preview(
    connection: &mut Recording,
    batch: &[Reported],
) -> Result<Vec<Outcome>, Error> {
    let events: Vec<&Reported> = batch.iter().collect();
    let mut known = look_up(connection, &events).await?;
    Ok(batch
        .iter()
        .map(|reported| outcome(reported, &mut known))
        .collect())
}

/// Returns the events that a batch brings, without those that are in conflict with known events,
/// and whether each is new.
pub(super) fn brought<'a>(
    batch: &'a [Reported],
    known: &KnownEvents,
) -> BTreeMap<EventKey<'a>, bool> {
    let is_new = |reported: &Reported| match known.get(&key(reported)) {
        Some(event) => (event.digest == reported.event.digest()).then_some(false),
        None => Some(true),
    };
    batch
        .iter()
        .filter_map(|reported| Some((key(reported), is_new(reported)?)))
        .collect()
}

/// Claims events of imports that a receiver brings too, so that they are not withdrawn, and removes
/// them from `known`. They may have been withdrawn meanwhile, so the caller must try to record them
/// again.
pub(super) async fn claim(
    connection: &mut Recording,
    new: &NewEvents<'_>,
    known: &mut KnownEvents<'_>,
) -> Result<(), Error> {
    let is_same = |key: &EventKey, digest: &[u8]| {
        let given = new.get(key);
        given.is_some_and(|reported| reported.event.digest() == digest)
    };
    let claimed: Vec<EventKey> = known
        .extract_if(|key, event| event.is_withdrawable && is_same(key, &event.digest))
        .map(|(key, _)| key)
        .collect();
    if !claimed.is_empty() {
        let parameters = vec![
            array(claimed.iter().map(|(source_id, _)| *source_id)),
            array(claimed.iter().map(|(_, event_id)| *event_id)),
        ];
        connection.query(imports::CLAIM, parameters).await?;
    }
    Ok(())
}
