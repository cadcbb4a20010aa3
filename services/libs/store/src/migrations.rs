//! The embedded migrations and the database roles.

use diesel::{
    QueryableByName,
    migration::MigrationSource,
    pg::Pg,
    sql_query,
    sql_types::{Bool, Text},
};
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use secrecy::{ExposeSecret, SecretString};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../../migrations");

/// Every privilege of every role.
const GRANTS: &str = include_str!("../../../../migrations/grants.sql");

/// The roles that the services sign in with; each is granted what it needs by the migrations.
pub const ROLES: [&str; 4] = ["auth", "ingestion", "reporting", "operator"];

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Creates the roles, brings the schema up to date, and sets all privileges anew. Several may run at once.
///
/// # Errors
/// A statement fails.
pub async fn run(
    mut connection: AsyncPgConnection,
    passwords: &[(&str, SecretString)],
) -> Result<(), Failure> {
    // Held until the connection closes, so that one after the other passes.
    sql_query("SELECT pg_advisory_lock(hashtext('rollcall migrations'))")
        .execute(&mut connection)
        .await?;
    for (role, password) in passwords {
        ensure_role(&mut connection, role, password).await?;
    }
    let mut harness = AsyncMigrationHarness::new(connection);
    for version in harness.run_pending_migrations(MIGRATIONS)? {
        println!("migrated {version}");
    }
    // A multi-statement batch runs in one implicit transaction.
    harness
        .into_inner()
        .batch_execute(GRANTS)
        .await
        .map_err(|error| format!("grants.sql: {error}"))?;
    Ok(())
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
    let setting = match role {
        // Its optional filters make one plan for all values a bad one.
        "reporting" => "ALTER ROLE reporting SET plan_cache_mode = force_custom_plan",
        // An event that is sent again ends a statement with an error on purpose; the service logs those that are none.
        "ingestion" => "ALTER ROLE ingestion SET log_min_messages = fatal",
        _ => return Ok(()),
    };
    sql_query(setting).execute(connection).await.map(drop)?;
    Ok(())
}

/// Whether the latest migration that this binary knows has been run.
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
