//! Random histories, in hours around the clock change of Europe/Berlin on 30 March 2025.

use std::sync::LazyLock;

use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, date, time},
    tz::TimeZone,
};
use proptest::prelude::*;
use rollcall_attendance::{
    calendar::Calendar,
    event::{Event, RawEvent},
};
use rollcall_store::events::{Receiver, Reported};
use rollcall_test_support::{TestDatabase, record, unlimited_arrival};

pub const FIRST_DAY: Date = date(2025, 3, 28);
pub const LAST_DAY: Date = date(2025, 4, 2);
pub const TIMEOUT: SignedDuration = SignedDuration::from_hours(20);
pub const SOURCES: [&str; 2] = ["gw-a", "gw-b"];
pub const PERSONS: [(&str, &str); 3] = [("amy", "sales"), ("amy", "default"), ("bob", "sales")];

/// A calendar in which the clock change is within a day.
pub static CALENDAR: LazyLock<Calendar> = LazyLock::new(|| Calendar {
    time_zone: TimeZone::get("Europe/Berlin").expect("a zone"),
    start_of_day: time(4, 0, 0, 0),
});

/// Returns the instant of an hour of the history, which begins a day before the period.
pub fn at(hour: i64) -> Timestamp {
    let start: Timestamp = "2025-03-27T00:00:00Z".parse().expect("an instant");
    start + hour.hours()
}

/// An event of a session, or a restart if there is no session.
#[derive(Debug, Clone)]
pub struct TestEvent {
    pub source: usize,
    pub session: Option<usize>,
    pub kind: &'static str,
    pub hour: i64,
    pub complete_through: Option<i64>,
    pub clock_skewed: bool,
}

#[derive(Debug, Clone)]
pub struct History {
    /// Hour of the report. No event is later.
    pub now: i64,
    /// The person of each session.
    pub owners: Vec<usize>,
    /// Events in the order of their arrival.
    pub events: Vec<TestEvent>,
    /// Employee of a person from a day of the period on.
    pub mappings: Vec<(usize, i64)>,
}

fn session(number: usize) -> impl Strategy<Value = (usize, Vec<TestEvent>)> {
    let parts = (any::<bool>(), any::<bool>(), any::<bool>());
    (0..3_usize, 0..2_usize, 0..120_i64, 0..40_i64, parts).prop_map(
        move |(owner, source, login, length, (has_login, has_active, has_logout))| {
            let event = |kind, hour| TestEvent {
                source,
                session: Some(number),
                kind,
                hour,
                complete_through: None,
                clock_skewed: false,
            };
            let mut events = Vec::new();
            if has_login || !has_logout {
                events.push(event("login", login));
            }
            if has_active {
                events.push(event("active", login + length / 2));
            }
            if has_logout {
                events.push(event("logout", login + length));
            }
            (owner, events)
        },
    )
}

fn restart() -> impl Strategy<Value = TestEvent> {
    (0..2_usize, 0..140_i64).prop_map(|(source, hour)| TestEvent {
        source,
        session: None,
        kind: "restart",
        hour,
        complete_through: None,
        clock_skewed: false,
    })
}

pub fn histories() -> impl Strategy<Value = History> {
    let sessions: Vec<_> = (0..9).map(session).collect();
    let restarts = prop::collection::vec(restart(), 0..2);
    let mappings = prop::collection::vec((0..3_usize, 0..6_i64), 0..2);
    (sessions, restarts, mappings, 60..170_i64)
        .prop_flat_map(|(sessions, restarts, mappings, now)| {
            let owners = sessions.iter().map(|(owner, _)| *owner).collect();
            let mut events = restarts;
            events.extend(sessions.into_iter().flat_map(|(_, events)| events));
            events.retain(|event| event.hour <= now);
            let flags = (
                prop::option::weighted(0.2, 0..140_i64),
                prop::bool::weighted(0.1),
            );
            let flags = prop::collection::vec(flags, events.len());
            let events = Just(events).prop_shuffle();
            (Just(now), Just(owners), events, Just(mappings), flags)
        })
        .prop_map(|(now, owners, mut events, mappings, flags)| {
            for (event, (complete_through, clock_skewed)) in events.iter_mut().zip(flags) {
                (event.complete_through, event.clock_skewed) = (complete_through, clock_skewed);
            }
            History {
                now,
                owners,
                events,
                mappings,
            }
        })
}

impl History {
    fn reported(&self, number: usize, event: &TestEvent) -> Reported {
        let person = event.session.map(|session| PERSONS[self.owners[session]]);
        let raw = RawEvent {
            event_id: Some(format!("e{number}")),
            kind: Some(event.kind.into()),
            session_id: event.session.map(|session| format!("s{session}")),
            user: person.map(|(user, _)| user.into()),
            realm: person.map(|(_, realm)| realm.into()),
            occurred_at: Some(at(event.hour).to_string()),
            complete_through: event.complete_through.map(|hour| at(hour).to_string()),
            ..RawEvent::default()
        };
        let mut parsed = Event::parse(raw, &unlimited_arrival()).expect("an event");
        parsed.clock_skewed = event.clock_skewed;
        Reported {
            source_id: i32::try_from(event.source).expect("small") + 1,
            event: parsed,
            receiver: Receiver::Http,
        }
    }

    /// Replaces the content of a database by the history. Each event arrives alone.
    pub async fn record(&self, database: &TestDatabase) {
        database
            .execute(
                "TRUNCATE sessions, events, event_ids, arrivals, employee_mappings, persons, sources
                 RESTART IDENTITY CASCADE",
            )
            .await;
        for source in SOURCES {
            let add = format!(
                "INSERT INTO sources (name, key_hash, created_at)
                 VALUES ('{source}', '{source}', '2025-01-01')"
            );
            database.execute(&add).await;
        }
        // A writer knows the IDs of persons, so each history has its own.
        let mut writer = database.writer();
        for (number, event) in self.events.iter().enumerate() {
            let batch = [self.reported(number, event)];
            record(&mut writer, &batch).await.expect("recorded");
        }
        for (person, day) in &self.mappings {
            let (user, realm) = PERSONS[*person];
            let add = format!(
                "INSERT INTO employee_mappings (person_id, employee_id, valid_from)
                 SELECT id, 'E{person}', date '{FIRST_DAY}' + {day} FROM persons
                 WHERE normalized_user = '{user}' AND normalized_realm = '{realm}'
                 ON CONFLICT DO NOTHING"
            );
            database.execute(&add).await;
        }
    }
}
