//! A database with sources, events and employees, and the reports on it.

use futures::TryStreamExt;
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, time},
    tz::TimeZone,
};
use rollcall_attendance::{
    calendar::Calendar,
    event::{Event, RawEvent},
    row::AttendanceRow,
};
use rollcall_store::{
    Connection, Pool,
    attendance::{self, Attribution, Calendars, Grouping, Moment, Page, Selection, Subject},
    events::{Receiver, Reported},
};
use rollcall_test_support::{TestDatabase, record, unlimited_arrival};

pub struct World {
    pub database: TestDatabase,
    pool: Pool,
    number: usize,
}

impl World {
    /// Creates a database with the source 1.
    pub async fn new() -> Self {
        let world = Self::empty().await;
        world
            .database
            .execute("INSERT INTO sources (name, key_hash) VALUES ('gateway', 'x')")
            .await;
        world
    }

    /// Creates a database.
    pub async fn empty() -> Self {
        let database = TestDatabase::new().await;
        let mut settings = database.settings("reporting");
        settings.wait_milliseconds = 60_000;
        let pool = Pool::new(&settings).expect("a pool");
        Self {
            database,
            pool,
            number: 0,
        }
    }

    /// Records events of source 1, each as "kind session user time", such as
    /// "login s1 amy 2025-01-01T22:00:00Z".
    pub async fn record(&mut self, events: &[&str]) {
        let mut batch = Vec::new();
        for event in events {
            self.number += 1;
            let parts: Vec<_> = event.split(' ').map(str::to_owned).collect();
            let [kind, session, user, at] = parts.try_into().expect("four parts");
            let raw = RawEvent {
                event_id: Some(self.number.to_string()),
                kind: Some(kind),
                session_id: Some(session),
                user: Some(user),
                occurred_at: Some(at),
                ..RawEvent::default()
            };
            batch.push(Reported {
                source_id: 1,
                receiver: Receiver::Http,
                event: Event::parse(raw, &unlimited_arrival()).expect("an event"),
            });
        }
        record(&mut self.database.writer(), &batch)
            .await
            .expect("recorded");
    }

    /// Maps a person of the realm `Default`, given by the normalized user.
    pub async fn map(&self, user: &str, employee_id: &str) {
        self.database
            .execute(&format!(
                "INSERT INTO employee_mappings (person_id, employee_id)
                 SELECT id, '{employee_id}' FROM persons WHERE normalized_user = '{user}'"
            ))
            .await;
    }

    /// Returns a connection of the role `reporting`.
    pub async fn connection(&self) -> Connection {
        self.pool.get().await.expect("a connection")
    }

    /// Returns the rows of a report or of a page.
    pub async fn rows(
        &self,
        selection: &Selection,
        page: Option<Page>,
        moment: Moment,
    ) -> Vec<AttendanceRow> {
        let connection = self.connection().await;
        attendance::rows(connection, selection.clone(), page, moment)
            .try_collect()
            .await
            .expect("rows")
    }
}

/// Returns a calendar whose days begin at midnight.
pub fn calendar(zone: &str) -> Calendar {
    Calendar {
        time_zone: TimeZone::get(zone).expect("a zone"),
        start_of_day: time(0, 0, 0, 0),
    }
}

/// Selects the rows of all persons by day.
pub fn days(calendar: Calendar, first: Date, last: Date) -> Selection {
    Selection {
        first,
        last,
        calendars: Calendars::One(calendar),
        users: Vec::new(),
        realms: Vec::new(),
        employee_ids: Vec::new(),
        sources: Vec::new(),
        grouping: Grouping::Day,
        subject: Subject::Person,
        attribution: Attribution::Login,
        include_absent: false,
    }
}

/// Returns the moment of a report, with a timeout of 24 hours.
pub fn moment(now: &str) -> Moment {
    Moment {
        now: now.parse::<Timestamp>().expect("an instant"),
        timeout: SignedDuration::from_hours(24),
    }
}

/// Writes a row as text: day, user, first login, last logout, sessions, worked seconds, open
/// sessions and end reason.
pub fn text(row: &AttendanceRow) -> String {
    let time = |at: Option<Timestamp>| match at {
        Some(at) => row.time_zone.to_datetime(at).to_string(),
        None => "-".into(),
    };
    let date = row.date.map_or("period".into(), |date| date.to_string());
    format!(
        "{date} {} {} {} sessions={} worked={} open={} {}",
        row.user,
        time(row.first_login_at),
        time(row.last_logout_at),
        row.sessions,
        row.worked_seconds,
        row.open_sessions,
        row.end_reason.map_or("-", |reason| reason.as_str()),
    )
}
