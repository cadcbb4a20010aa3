//! A database per test, cloned from a migrated template and dropped at the end.

use std::time::Duration;

use diesel::{
    QueryableByName, sql_query,
    sql_types::{Bool, Text},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl, pooled_connection::deadpool::Object};
use jiff::{SignedDuration, Timestamp};
use rollcall_attendance::event::{Arrival, Event, RawEvent};
use rollcall_platform::settings::{self, Settings, read_secret};
use rollcall_store::{
    Pool,
    events::{self, Outcome, Reported},
    failure::Failure,
    migrations,
    recording::Writer,
};
use uuid::Uuid;

const TEMPLATE: &str = "rollcall_template";

/// A migrated and empty database. Its template is made once for each start of the test Postgres, which `scripts/test` starts anew.
pub struct TestDatabase {
    name: String,
}

impl TestDatabase {
    /// Makes one.
    pub async fn new() -> Self {
        let mut server = connect(&settings_of("postgres", "rollcall")).await;
        execute(&mut server, "SELECT pg_advisory_lock(1)").await;
        if !exists(&mut server, TEMPLATE).await {
            make_template(&mut server).await;
        }
        execute(&mut server, "SELECT pg_advisory_unlock(1)").await;
        let name = format!("test_{}", Uuid::new_v4().simple());
        execute(
            &mut server,
            &format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}"),
        )
        .await;
        Self { name }
    }

    /// One without any table.
    pub async fn unmigrated() -> Self {
        let name = format!("test_{}", Uuid::new_v4().simple());
        execute(
            &mut connect(&settings_of("postgres", "rollcall")).await,
            &format!("CREATE DATABASE {name}"),
        )
        .await;
        Self { name }
    }

    /// How `role` connects to it.
    #[must_use]
    pub fn settings(&self, role: &str) -> settings::Database {
        settings_of(&self.name, role)
    }

    /// Runs a statement as the owner.
    pub async fn execute(&self, statement: &str) {
        execute(&mut self.connect("rollcall").await, statement).await;
    }

    /// What a query of one text column, named `text`, gives to the owner.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            text: String,
        }
        let rows = sql_query(query)
            .load::<Row>(&mut self.connect("rollcall").await)
            .await;
        rows.unwrap_or_else(|error| panic!("{query}: {error}"))
            .into_iter()
            .map(|row| row.text)
            .collect()
    }

    /// How many rows a table has.
    pub async fn count(&self, table: &str) -> usize {
        self.texts(&format!("SELECT count(*)::text AS text FROM {table}"))
            .await
            .iter()
            .find_map(|text| text.parse().ok())
            .unwrap_or(0)
    }

    /// A writer of the role `ingestion`.
    #[must_use]
    pub fn writer(&self) -> Writer {
        let mut settings = self.settings("ingestion");
        // Tests share a machine with builds.
        settings.wait_milliseconds = 60_000;
        Pool::new(&settings).expect("a pool").writer()
    }

    /// A connection of `role`; `rollcall` owns the database.
    pub async fn connect(&self, role: &str) -> AsyncPgConnection {
        connect(&self.settings(role)).await
    }
}

/// Returns a login of session `id` with the event ID `id`, which arrived on 1 June 2025. An event is
/// skewed if it occurred more than a year before.
#[must_use]
pub fn login(source_id: i32, id: &str, occurred_at: &str) -> Reported {
    let arrival = Arrival {
        at: "2025-06-01T00:00:00Z".parse().expect("an instant"),
        earliest: Timestamp::MIN,
        ahead: SignedDuration::from_hours(1),
        skew: SignedDuration::from_hours(24 * 365),
    };
    let raw = RawEvent {
        event_id: Some(id.into()),
        kind: Some("login".into()),
        session_id: Some(id.into()),
        user: Some("user_4".into()),
        occurred_at: Some(occurred_at.into()),
        ..RawEvent::default()
    };
    Reported {
        source_id,
        event: Event::parse(raw, &arrival).expect("an event"),
    }
}

/// Records a batch as ingestion does.
///
/// # Errors
/// Nothing of the batch is recorded.
pub async fn record(writer: &mut Writer, batch: &[Reported]) -> Result<Vec<Outcome>, Failure> {
    writer
        .ask(async |connection| events::record(connection, batch).await)
        .await
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let drop_it = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let in_runtime = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                execute(
                    &mut connect(&settings_of("postgres", "rollcall")).await,
                    &drop_it,
                )
                .await;
            });
        };
        // A test that panics must report its own failure and not one of the clean-up.
        let _ = std::thread::spawn(in_runtime).join();
    }
}

fn settings_of(database: &str, role: &str) -> settings::Database {
    let mut settings = Settings::load().expect("settings").database;
    let server = crate::postgres();
    settings.host = server.ip().to_string();
    settings.port = server.port();
    database.clone_into(&mut settings.name);
    role.clone_into(&mut settings.user);
    settings.password_file = crate::password_file();
    settings
}

async fn connect(settings: &settings::Database) -> AsyncPgConnection {
    let mut settings = settings.clone();
    // Tests share a machine with builds.
    settings.wait_milliseconds = 60_000;
    Object::take(
        Pool::new(&settings)
            .expect("a pool")
            .get()
            .await
            .expect("the test Postgres"),
    )
}

async fn execute(connection: &mut AsyncPgConnection, statement: &str) {
    sql_query(statement)
        .execute(connection)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
}

async fn exists(connection: &mut AsyncPgConnection, name: &str) -> bool {
    #[derive(QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Bool)]
        yes: bool,
    }
    let asked = sql_query("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1) AS yes")
        .bind::<Text, _>(name);
    asked
        .get_result::<Answer>(connection)
        .await
        .expect("an answer")
        .yes
}

/// Roles belong to the server: all tests share them and one password.
async fn make_template(server: &mut AsyncPgConnection) {
    execute(server, &format!("CREATE DATABASE {TEMPLATE}")).await;
    let password = read_secret(&crate::password_file()).expect("the password");
    let passwords = migrations::ROLES.map(|role| (role, password.clone()));
    migrations::run(
        connect(&settings_of(TEMPLATE, "rollcall")).await,
        &passwords,
        Duration::from_mins(1),
    )
    .await
    .expect("migrations");
    // All tests share the roles, and a test for each core runs at once.
    for role in migrations::ROLES {
        execute(server, &format!("ALTER ROLE {role} CONNECTION LIMIT -1")).await;
    }
}
