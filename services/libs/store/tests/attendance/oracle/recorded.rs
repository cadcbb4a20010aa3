//! Writes a history into a database.

use jiff::civil::Date;
use rollcall_attendance::event::{Event, RawEvent};
use rollcall_store::{
    events::{Receiver, Reported},
    recording::Writer,
};
use rollcall_test_support::{TestDatabase, record, unlimited_arrival};

use super::{
    history::{History, Mapping, Minute, PERSONS, TestEvent, instant},
    model::person_of,
};

/// Adds the persons and the sources, once for each database.
pub async fn prepare(database: &TestDatabase) {
    for (user, realm) in PERSONS {
        let realm = realm.unwrap_or("Default");
        database
            .execute(&format!(
                "INSERT INTO persons (
                     normalized_user, normalized_realm, reported_on, display_user, display_realm
                 ) VALUES ('{user}', lower('{realm}'), '0001-01-01', '{user}', '{realm}')"
            ))
            .await;
    }
    database
        .execute("INSERT INTO sources (name, key_hash) VALUES ('one', '1'), ('two', '2')")
        .await;
}

/// Replaces what is in the database.
pub async fn replace(database: &TestDatabase, writer: &mut Writer, history: &History) {
    database
        .execute(
            "TRUNCATE imported_events, event_ids, events, sessions, source_restarts, arrivals,
                 employee_mappings, calendars",
        )
        .await;
    for (source, id) in history.sources.iter().zip(1..) {
        let at = |at: Option<Minute>| at.map_or("NULL".into(), |at| format!("'{}'", instant(at)));
        let assumed = source.assume_complete_seconds;
        database
            .execute(&format!(
                "UPDATE sources SET complete_through = NULL,
                     created_at = {}, disabled_at = {}, assume_complete_seconds = {},
                     imports_only = {} WHERE id = {id}",
                at(Some(source.created_at)),
                at(source.disabled_at),
                assumed.map_or("NULL".into(), |seconds| seconds.to_string()),
                source.imports_only,
            ))
            .await;
    }
    for (name, _) in &history.named {
        let add = "INSERT INTO calendars (name, time_zone, start_of_day)";
        database
            .execute(&format!("{add} VALUES ('{name}', 'UTC', '00:00')"))
            .await;
    }
    for mapping in &history.mappings {
        map(database, mapping).await;
    }
    let events = history.events.iter().enumerate();
    let reported: Vec<_> = events
        .map(|(number, event)| reported(number, event))
        .collect();
    for batch in reported.chunks(7) {
        record(writer, batch).await.expect("recorded");
    }
}

async fn map(database: &TestDatabase, mapping: &Mapping) {
    let (user, realm) = PERSONS[mapping.person];
    let date = |date: Option<Date>, open: &str| date.map_or(open.into(), |date| date.to_string());
    let calendar = mapping.calendar;
    database
        .execute(&format!(
            "INSERT INTO employee_mappings (person_id, employee_id, calendar, valid_from, valid_to)
             SELECT id, '{}', {}, '{}', '{}' FROM persons
             WHERE (normalized_user, normalized_realm) = ('{user}', '{}')",
            mapping.employee_id,
            calendar.map_or("NULL".into(), |name| format!("'{name}'")),
            date(mapping.from, "-infinity"),
            date(mapping.to, "infinity"),
            realm.unwrap_or("default"),
        ))
        .await;
}

fn reported(number: usize, event: &TestEvent) -> Reported {
    let has_session = event.kind != "restart";
    let (user, realm) = PERSONS[person_of(event.session)];
    let raw = RawEvent {
        event_id: Some(number.to_string()),
        kind: Some(event.kind.into()),
        session_id: has_session.then(|| event.session.to_string()),
        user: has_session.then(|| user.into()),
        realm: realm.filter(|_| has_session).map(Into::into),
        occurred_at: Some(instant(event.at).to_string()),
        active_seconds: event.active_seconds,
        complete_through: event.complete_through.map(|at| instant(at).to_string()),
        ..RawEvent::default()
    };
    Reported {
        source_id: event.source,
        event: Event::parse(raw, &unlimited_arrival()).expect("an event"),
        receiver: Receiver::Http,
    }
}
