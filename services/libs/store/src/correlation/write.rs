//! Writes events with a correlation key and the sessions that they change.

use std::collections::{BTreeSet, HashMap};

use rollcall_attendance::{
    correlation::{Correlated, Group},
    session::Session,
};
use tokio_postgres::Error;

use super::{Changed, Key};
use crate::{
    persons::PersonIds,
    recording::{Parameters, Recording, array},
    sessions::columns,
};

const REPLACE_SESSIONS: &str = include_str!("replace_sessions.sql");
const ADD: &str = include_str!("add.sql");
const ASSIGN: &str = include_str!("assign.sql");
const REMOVE_ABANDONED: &str = "SELECT remove_abandoned_sessions($1, $2, $3)";

/// An event and the session that it belongs to.
struct Assigned<'a> {
    key: &'a Key,
    event: &'a Correlated,
    session_id: &'a str,
}

/// Writes the sessions, adds the new events, assigns the stored events to their sessions, and
/// removes the sessions that have no event any more.
pub(super) async fn write(
    connection: &mut Recording,
    changed: &[(Key, Changed)],
    ids: &PersonIds,
) -> Result<(), Error> {
    let mut sessions = Vec::new();
    let (mut new, mut moved, mut abandoned) = (Vec::new(), Vec::new(), Vec::new());
    for (key, changed) in changed {
        sessions.extend(changed.sessions.iter().map(|group| (key, group)));
        let session_of = sessions_by_event(&changed.sessions);
        let assigned = |event| assigned(key, event, &session_of);
        new.extend(changed.new.iter().filter_map(assigned));
        let mut before = BTreeSet::new();
        for stored in &changed.stored {
            before.insert(stored.session_id.as_str());
            let assigned = assigned(&stored.event);
            moved.extend(assigned.filter(|assigned| assigned.session_id != stored.session_id));
        }
        for group in &changed.sessions {
            before.remove(group.session_id.as_str());
        }
        abandoned.extend(before.into_iter().map(|session_id| (key, session_id)));
    }
    connection
        .query(REPLACE_SESSIONS, session_rows(&sessions, ids))
        .await?;
    connection.query(ADD, event_rows(&new, ids)).await?;
    if !moved.is_empty() {
        connection.query(ASSIGN, assignments(&moved)).await?;
    }
    if !abandoned.is_empty() {
        let rows = abandoned_rows(&abandoned);
        connection.query(REMOVE_ABANDONED, rows).await?;
    }
    Ok(())
}

fn sessions_by_event(sessions: &[Group]) -> HashMap<&str, &str> {
    let mut session_of = HashMap::new();
    for Group {
        session_id,
        event_ids,
        ..
    } in sessions
    {
        session_of.extend(
            event_ids
                .iter()
                .map(|id| (id.as_str(), session_id.as_str())),
        );
    }
    session_of
}

fn assigned<'a>(
    key: &'a Key,
    event: &'a Correlated,
    session_of: &HashMap<&str, &'a str>,
) -> Option<Assigned<'a>> {
    let session_id = session_of.get(event.event_id.as_str())?;
    Some(Assigned {
        key,
        event,
        session_id,
    })
}

fn session_rows<'a>(sessions: &'a [(&Key, &Group)], ids: &PersonIds) -> Parameters<'a> {
    let keys = || sessions.iter().map(|(key, _)| *key);
    let groups = || sessions.iter().map(|(_, group)| *group);
    let mut rows: Parameters = vec![
        array(keys().map(|(source_id, _)| *source_id)),
        array(keys().map(|(_, key)| key.as_str())),
        array(groups().map(|group| group.session_id.as_str())),
    ];
    rows.extend(columns(&groups().map(|group| &group.session), ids));
    rows
}

fn event_rows<'a>(events: &'a [Assigned<'_>], ids: &PersonIds) -> Parameters<'a> {
    let parts = || events.iter().map(|assigned| &assigned.event.part);
    let owners = || parts().map(|part| part.owner.as_ref());
    let derived = |part: &Session| {
        part.login
            .filter(|login| login.derived)
            .map(|login| login.at)
    };
    let mut rows = event_keys(events);
    rows.extend([
        array(events.iter().map(|assigned| assigned.event.kind())),
        array(parts().map(derived)),
        array(parts().map(|part| part.next_due_at)),
        array(parts().map(|part| part.active_seconds)),
        array(owners().map(|owner| ids.get(&owner?.person).copied())),
        array(owners().map(|owner| owner.map(|owner| owner.names_realm))),
        array(events.iter().map(|assigned| assigned.session_id)),
    ]);
    rows
}

fn assignments<'a>(events: &'a [Assigned<'_>]) -> Parameters<'a> {
    let mut rows = event_keys(events);
    rows.push(array(events.iter().map(|assigned| assigned.session_id)));
    rows
}

/// Returns the columns of the primary key.
fn event_keys<'a>(events: &'a [Assigned<'_>]) -> Parameters<'a> {
    vec![
        array(events.iter().map(|assigned| assigned.key.0)),
        array(events.iter().map(|assigned| assigned.key.1.as_str())),
        array(events.iter().map(|assigned| assigned.event.at())),
        array(
            events
                .iter()
                .map(|assigned| assigned.event.event_id.as_str()),
        ),
    ]
}

fn abandoned_rows<'a>(sessions: &'a [(&Key, &str)]) -> Parameters<'a> {
    vec![
        array(sessions.iter().map(|(key, _)| key.0)),
        array(sessions.iter().map(|(key, _)| key.1.as_str())),
        array(sessions.iter().map(|(_, session_id)| *session_id)),
    ]
}
