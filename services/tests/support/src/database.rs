//! A database for each test, cloned from a migrated template and dropped at the end.

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
    events::{self, Outcome, Receiver, Reported},
    failure::Failure,
    migrations,
    recording::Writer,
};
use uuid::Uuid;

const TEMPLATE: &str = "rollcall_template";

/// A migrated and empty database, dropped with this value. The template is made once for each start
/// of the test PostgreSQL.
pub struct TestDatabase {
    name: String,
}

impl TestDatabase {
    /// Creates a migrated database.
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

    /// Creates a database without tables.
    pub async fn unmigrated() -> Self {
        let name = format!("test_{}", Uuid::new_v4().simple());
        execute(
            &mut connect(&settings_of("postgres", "rollcall")).await,
            &format!("CREATE DATABASE {name}"),
        )
        .await;
        Self { name }
    }

    /// Returns the settings by which `role` connects to this database.
    #[must_use]
    pub fn settings(&self, role: &str) -> settings::Database {
        settings_of(&self.name, role)
    }

    /// Runs a statement as the owner of the database.
    pub async fn execute(&self, statement: &str) {
        execute(&mut self.connect("rollcall").await, statement).await;
    }

    /// Runs a query as the owner of the database. The query has one text column, named `text`.
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

    /// Returns the number of rows of a table.
    pub async fn count(&self, table: &str) -> usize {
        self.texts(&format!("SELECT count(*)::text AS text FROM {table}"))
            .await
            .iter()
            .find_map(|text| text.parse().ok())
            .unwrap_or(0)
    }

    /// Adds sessions of one instant, each of a person of its own. `user` and `realm` are the
    /// display forms, as SQL expressions of the number `n`.
    pub async fn add_sessions(&self, number: u32, user: &str, realm: &str) {
        let add = format!(
            "WITH added AS (
                INSERT INTO persons (
                    normalized_user, normalized_realm, reported_on, display_user, display_realm
                )
                SELECT lower({user}), lower({realm}), '2025-01-02', {user}, {realm}
                FROM generate_series(1, {number}) AS n
                RETURNING id
            )
            INSERT INTO sessions (source_id, session_id, person_id, names_realm, named_at,
                login_at, logout_at, last_activity_at, first_event_at)
            SELECT (SELECT min(id) FROM sources), id, id, true, at, at, at, at, at
            FROM added, (SELECT timestamptz '2025-01-02' AS at) AS instant"
        );
        self.execute(&add).await;
        self.execute("ANALYZE sessions, persons").await;
    }

    /// Returns a writer of the role `ingestion`.
    #[must_use]
    pub fn writer(&self) -> Writer {
        let mut settings = self.settings("ingestion");
        // Wait for long, because tests share the machine with builds.
        settings.wait_milliseconds = 60_000;
        let pool = Pool::new(&settings).expect("a pool");
        pool.writer(SignedDuration::from_hours(24))
    }

    /// Connects as `role`. The role `rollcall` owns the database.
    pub async fn connect(&self, role: &str) -> AsyncPgConnection {
        connect(&self.settings(role)).await
    }
}

/// Returns an arrival that accepts all times and takes no clock to be wrong.
#[must_use]
pub fn unlimited_arrival() -> Arrival {
    let forever = SignedDuration::from_hours(24 * 365 * 100);
    Arrival {
        at: Timestamp::UNIX_EPOCH,
        earliest: Timestamp::MIN,
        ahead: forever,
        skew: forever,
    }
}

/// Returns a login of session `id` with the event ID `id`, which arrived on 1 June 2025. An event
/// is skewed if it occurred more than a year before.
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
        receiver: Receiver::Http,
    }
}

/// Records a batch as ingestion does.
///
/// # Errors
/// Returns the failure of the database. No event of the batch is then recorded.
pub async fn record(writer: &mut Writer, batch: &[Reported]) -> Result<Vec<Outcome>, Failure> {
    writer
        .ask(async |connection| events::record(connection, batch).await)
        .await
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let in_runtime = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                execute(
                    &mut connect(&settings_of("postgres", "rollcall")).await,
                    &statement,
                )
                .await;
            });
        };
        // Ignore a failure of the clean-up: it must not hide the failure of the test.
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
    struct Row {
        #[diesel(sql_type = Bool)]
        exists: bool,
    }
    let query = sql_query("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1) AS exists")
        .bind::<Text, _>(name);
    query
        .get_result::<Row>(connection)
        .await
        .expect("an answer")
        .exists
}

/// Creates the template. Roles belong to the server, so all tests share the roles and one password.
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
    // Remove the limits of connections, because concurrent tests share the roles.
    for role in migrations::ROLES {
        execute(server, &format!("ALTER ROLE {role} CONNECTION LIMIT -1")).await;
    }
}
