//! Creates the database roles, runs the migrations and writes the retention limits, then ends.
//! Several processes may run at the same time.

use std::{process::ExitCode, time::Duration};

use diesel_async::{AsyncPgConnection, pooled_connection::deadpool::Object};
use rollcall_settings::{Settings, read_secret};
use rollcall_store::{Pool, migrations, retention};

/// Maximum wait for a lock. Another `migrate` can finish within this time, and other statements do
/// not queue behind this one for long.
const MAX_LOCK_WAIT: Duration = Duration::from_mins(1);

#[tokio::main]
async fn main() -> ExitCode {
    match migrate().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Reads each role's password from `<folder of the owner's password>/<role>`.
async fn migrate() -> Result<(), Box<dyn std::error::Error>> {
    let settings = Settings::load()?;
    let folder = settings
        .database
        .password_file
        .parent()
        .ok_or("database.password_file must be in a folder")?;
    let passwords = migrations::ROLES
        .into_iter()
        .map(|role| Ok((role, read_secret(&folder.join(role))?)))
        .collect::<std::io::Result<Vec<_>>>()?;
    let pool = Pool::new(&settings.database)?;
    let connection: AsyncPgConnection = Object::take(pool.get().await?);
    migrations::run(connection, &passwords, MAX_LOCK_WAIT)
        .await
        .map_err(|error| error.to_string())?;
    pool.ask(async |connection| retention::set_limits(connection, &settings.retention).await)
        .await?;
    println!("The database is up to date.");
    Ok(())
}
