//! A database with a source, and partitions of past months.

use std::time::Duration;

use rollcall_maintenance::{
    jobs::{Job, Outcome, run_once},
    startup::{Maintenance, build},
};
use rollcall_platform::{clock::Clock, settings::Settings};
use rollcall_store::{
    Error, Pool,
    sources::{self, New},
};
use rollcall_test_support::TestDatabase;

/// Returns a database with the source `gateway`, whose ID is 1.
pub async fn database() -> TestDatabase {
    let database = TestDatabase::new().await;
    let source = New {
        name: "gateway",
        key_hash: b"x",
        radius_secret: None,
    };
    let added = sources::add(&mut database.connect("operator").await, &source).await;
    assert_eq!(added, Ok(true));
    database
}

/// Runs a job once, with the role of the service.
pub async fn run<J: Job>(database: &TestDatabase, job: &J) -> Result<Outcome, Error> {
    let mut settings = database.settings("maintenance");
    settings.wait_milliseconds = 60_000;
    run_once(job, &Pool::new(&settings).expect("a pool")).await
}

/// Starts the service on this database.
pub fn start(database: &TestDatabase) -> Maintenance {
    let mut settings = Settings::load().expect("settings");
    settings.database = database.settings("maintenance");
    settings.database.wait_milliseconds = 60_000;
    settings.server.internal_address = "127.0.0.1:0".parse().expect("an address");
    build(&settings, &Clock::System).expect("the service")
}

/// Waits until a query of one number returns `expected`.
pub async fn eventually(database: &TestDatabase, query: &str, expected: &str) {
    let mut found = String::new();
    for _ in 0..600 {
        found = database.texts(query).await.concat();
        if found == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{query}: {found}");
}

/// Creates the partition for the month `ago` months before this one, and returns its name.
pub async fn past_month(database: &TestDatabase, table: &str, ago: u32) -> String {
    let months = format!(
        "(SELECT month - interval '{ago} months' AS begins, month - interval '{} months' AS ends
          FROM date_trunc('month', now() AT TIME ZONE 'UTC') AS month) AS months",
        ago - 1
    );
    let name = format!("SELECT '{table}' || to_char(begins, '\"_\"YYYY_MM') AS text FROM {months}");
    let name = database.texts(&name).await.concat();
    let create = format!(
        "SELECT format('CREATE TABLE partitions.{name} PARTITION OF {table}
             FOR VALUES FROM (%L) TO (%L)', begins AT TIME ZONE 'UTC',
                 ends AT TIME ZONE 'UTC') AS text
         FROM {months}"
    );
    let create = database.texts(&create).await.concat();
    database.execute(&create).await;
    let own = format!("ALTER TABLE partitions.{name} OWNER TO maintenance");
    database.execute(&own).await;
    name
}

/// Returns how many days ago a day in the month 4 months before this one is.
pub async fn days_to_fourth_past_month(database: &TestDatabase) -> u32 {
    let days = "SELECT (now()::date - date_trunc('month', now())::date + 100)::text AS text";
    database.texts(days).await.concat().parse().expect("days")
}

/// Returns the names of a table's partitions, in order.
pub async fn partitions(database: &TestDatabase, table: &str) -> Vec<String> {
    let names = format!(
        "SELECT relname::text AS text FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
         WHERE inhparent = '{table}'::regclass ORDER BY 1"
    );
    database.texts(&names).await
}

/// Adds events with the IDs `prefix-1` to `prefix-number` that arrived `days` days ago, with their
/// event IDs.
pub async fn add_events(database: &TestDatabase, prefix: &str, number: u32, days: u32) {
    let events = format!(
        "INSERT INTO events (source_id, event_id, kind, occurred_at, received_at, reason, receiver)
         SELECT 1, '{prefix}-' || n, 'restart', now(), now() - {days} * interval '24 hours',
             repeat('x', 300), 'http' FROM generate_series(1, {number}) AS n"
    );
    database.execute(&events).await;
    let ids = format!(
        "INSERT INTO event_ids SELECT 1, '{prefix}-' || n, ''
         FROM generate_series(1, {number}) AS n"
    );
    database.execute(&ids).await;
}

/// Records a session whose login and last activity are `days` days ago.
pub async fn add_session(database: &TestDatabase, id: &str, days: u32) {
    let at = format!("now() - {days} * interval '24 hours'");
    let session = format!(
        "INSERT INTO sessions (source_id, session_id, person_id, names_realm, named_at, login_at,
             last_activity_at, first_event_at)
         VALUES (1, '{id}', 1, false, {at}, {at}, {at}, {at})"
    );
    database.execute(&session).await;
}

/// Sets the retention limits, as `migrate` does, but without the check of the table.
pub async fn set_limit(database: &TestDatabase, data: &str, days: u32) {
    let unchecked =
        "ALTER TABLE retention_limits DROP CONSTRAINT IF EXISTS retention_limits_days_check";
    database.execute(unchecked).await;
    let limit = format!("INSERT INTO retention_limits VALUES ('{data}', {days})");
    database.execute(&limit).await;
}

/// Returns the audit entries of retention: action, role, and details without the time.
pub async fn audit(database: &TestDatabase) -> Vec<String> {
    let entries = "SELECT action || ' ' || role || ' ' || (detail - 'before')::text AS text
        FROM audit_log WHERE actor = 'retention' ORDER BY id";
    database.texts(entries).await
}
