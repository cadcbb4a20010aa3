//! The embedded migrations and the database roles.

use std::time::Duration;

use diesel::{
    OptionalExtension, QueryableByName,
    migration::MigrationSource,
    pg::Pg,
    sql_query,
    sql_types::{Bool, Text},
};
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use secrecy::{ExposeSecret, SecretString};

use crate::partitions;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../../migrations");

/// SQL that sets all privileges of all roles.
const GRANTS: &str = include_str!("../../../../migrations/grants.sql");

/// The roles of the services. grants.sql grants each role what its service needs.
pub const ROLES: [&str; 6] = [
    "auth",
    "ingestion",
    "reporting",
    "console",
    "maintenance",
    "operator",
];

/// Limits of a role, so that no role can use up the resources of the others.
struct Limits {
    role: &'static str,
    /// Maximum number of connections.
    connections: u32,
    /// Maximum size of the temporary files of one connection, for example those of a large sort.
    temp_files: &'static str,
    /// Maximum duration of a statement. Connections that stream reports set their own.
    statement: &'static str,
}

/// Limits of each role. `max_connections` is 235, and PostgreSQL reserves 3 of them for the
/// superuser. The limits add up to 222, which is enough for four replicas of each service, or for
/// two while `scripts/replace` starts two new ones beside them: auth 4 × (8 + 1), ingestion
/// 4 × (8 + 2 writers) and imports, reporting 4 × (8 + 6 streams) and `session list`, console
/// 4 × (4 + 2 streams), operator 8 command lines. Each replica has one more, for its heartbeat.
/// maintenance has enough for three replicas, with 3 jobs and two health checks each. The
/// remaining 10 are for the owner: `migrate`, backups and psql.
const LIMITS: [Limits; 6] = [
    Limits {
        role: "auth",
        connections: 44,
        temp_files: "64MB",
        statement: "10s",
    },
    Limits {
        role: "ingestion",
        connections: 60,
        temp_files: "1GB",
        statement: "60s",
    },
    Limits {
        role: "reporting",
        connections: 64,
        temp_files: "2GB",
        statement: "10s",
    },
    Limits {
        role: "console",
        connections: 28,
        temp_files: "1GB",
        statement: "10s",
    },
    Limits {
        role: "maintenance",
        connections: 18,
        temp_files: "1GB",
        statement: "60s",
    },
    Limits {
        role: "operator",
        connections: 8,
        temp_files: "64MB",
        statement: "60s",
    },
];

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Creates the roles, brings the schema up to date, creates missing partitions, and sets all
/// privileges. Several processes may call this at the same time. No statement waits longer than
/// `max_lock_wait` for a lock.
///
/// # Errors
/// A statement fails, or another session holds a lock for longer than `max_lock_wait`.
pub async fn run(
    mut connection: AsyncPgConnection,
    passwords: &[(&str, SecretString)],
    max_lock_wait: Duration,
) -> Result<(), Failure> {
    lock(&mut connection, max_lock_wait).await?;
    for (role, password) in passwords {
        ensure_role(&mut connection, role, password).await?;
    }
    let mut harness = AsyncMigrationHarness::new(connection);
    for version in harness.run_pending_migrations(MIGRATIONS)? {
        println!("migrated {version}");
    }
    let mut connection = harness.into_inner();
    // grants.sql sets the owner of the partitions.
    partitions::create(&mut connection).await?;
    // A multi-statement batch runs in one implicit transaction.
    connection
        .batch_execute(GRANTS)
        .await
        .map_err(|error| format!("grants.sql: {error}"))?;
    Ok(())
}

/// Acquires the lock that allows one run at a time. The lock is held until the connection closes.
async fn lock(connection: &mut AsyncPgConnection, max_wait: Duration) -> Result<(), Failure> {
    let milliseconds = max_wait.as_millis();
    sql_query(format!("SET lock_timeout = {milliseconds}"))
        .execute(connection)
        .await?;
    let locked = sql_query("SELECT pg_advisory_lock(hashtext('rollcall migrations'))")
        .execute(connection)
        .await;
    let Err(error) = locked else { return Ok(()) };
    Err(match lock_holder(connection).await? {
        Some(holder) => format!(
            "another session has held the migration lock for {milliseconds} ms: {holder}. \
             Wait for it, or end it as the owner with SELECT pg_terminate_backend(PID)"
        )
        .into(),
        None => error.into(),
    })
}

/// Describes the session that holds the migration lock. Every role can take an advisory lock.
async fn lock_holder(connection: &mut AsyncPgConnection) -> Result<Option<String>, Failure> {
    #[derive(QueryableByName)]
    struct Holder {
        #[diesel(sql_type = Text)]
        holder: String,
    }
    // An advisory lock's 64-bit key is shown as two columns of 32 bits.
    let found = sql_query(
        "SELECT format('role %s, address %s, PID %s, connected since %s', usename,
             coalesce(host(client_addr), 'none (local socket)'), pid, backend_start) AS holder
         FROM pg_locks JOIN pg_stat_activity USING (pid)
         WHERE locktype = 'advisory' AND granted AND objsubid = 1
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
             AND (classid::bigint << 32 | objid::bigint) = hashtext('rollcall migrations')",
    )
    .get_result::<Holder>(connection)
    .await
    .optional()?;
    Ok(found.map(|found| found.holder))
}

/// Takes every migration back.
///
/// # Errors
/// A statement fails.
pub fn revert_all(connection: AsyncPgConnection) -> Result<(), Failure> {
    AsyncMigrationHarness::new(connection).revert_all_migrations(MIGRATIONS)?;
    Ok(())
}

async fn ensure_role(
    connection: &mut AsyncPgConnection,
    role: &str,
    password: &SecretString,
) -> Result<(), Failure> {
    #[derive(QueryableByName)]
    struct Statement {
        #[diesel(sql_type = Text)]
        statement: String,
    }
    let known = "EXISTS (SELECT FROM pg_roles WHERE rolname = $1)";
    let Statement { statement } = sql_query(format!(
        "SELECT format('%s ROLE %I LOGIN PASSWORD %L', CASE WHEN {known} THEN 'ALTER' ELSE 'CREATE' END, $1, $2) AS statement"
    ))
    .bind::<Text, _>(role)
    .bind::<Text, _>(password.expose_secret())
    .get_result(connection)
    .await?;
    sql_query(statement).execute(connection).await?;
    for setting in settings_of(role) {
        sql_query(format!("ALTER ROLE {role} {setting}"))
            .execute(connection)
            .await?;
    }
    Ok(())
}

fn settings_of(role: &str) -> Vec<String> {
    let mut settings = Vec::new();
    for limits in LIMITS.iter().filter(|limits| limits.role == role) {
        settings.push(format!("CONNECTION LIMIT {}", limits.connections));
        settings.push(format!("SET temp_file_limit = '{}'", limits.temp_files));
        settings.push(format!("SET statement_timeout = '{}'", limits.statement));
    }
    match role {
        "reporting" | "console" => {
            // A generic plan is slow, because most filters of a report are optional.
            settings.push("SET plan_cache_mode = force_custom_plan".into());
            // Parallel workers of a large report would use the cores that ingestion needs.
            settings.push("SET max_parallel_workers_per_gather = 0".into());
            // Compiling a statement costs more than it saves in a report of a second.
            settings.push("SET jit = off".into());
        }
        // A duplicate event makes a statement fail on purpose. The service logs all other errors
        // itself.
        "ingestion" => settings.push("SET log_min_messages = fatal".into()),
        _ => (),
    }
    settings
}

/// Returns true if the latest migration in this binary has been run.
///
/// # Errors
/// The database does not answer.
pub async fn are_current(
    connection: &mut AsyncPgConnection,
) -> Result<bool, diesel::result::Error> {
    #[derive(QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Bool)]
        yes: bool,
    }
    let latest = latest().map_err(diesel::result::Error::QueryBuilderError)?;
    let table = sql_query("SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS yes");
    if !table.get_result::<Answer>(connection).await?.yes {
        return Ok(false);
    }
    let ran = sql_query(
        "SELECT EXISTS (SELECT FROM __diesel_schema_migrations WHERE version = $1) AS yes",
    )
    .bind::<Text, _>(latest);
    Ok(ran.get_result::<Answer>(connection).await?.yes)
}

fn latest() -> Result<String, Failure> {
    let migrations = MigrationSource::<Pg>::migrations(&MIGRATIONS)?;
    Ok(migrations
        .iter()
        .map(|migration| migration.name().version().to_string())
        .max()
        .unwrap_or_default())
}
