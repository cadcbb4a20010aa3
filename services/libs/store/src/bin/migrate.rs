//! Creates the database roles and runs the migrations, then ends. Several can run at once.

use std::{process::ExitCode, time::Duration};

use diesel_async::{AsyncPgConnection, pooled_connection::deadpool::Object};
use rollcall_settings::{Settings, read_secret};
use rollcall_store::{Pool, migrations};

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
    let settings = Settings::load()?.database;
    let folder = settings
        .password_file
        .parent()
        .ok_or("database.password_file must be in a folder")?;
    let passwords = migrations::ROLES
        .into_iter()
        .map(|role| Ok((role, read_secret(&folder.join(role))?)))
        .collect::<std::io::Result<Vec<_>>>()?;
    let connection: AsyncPgConnection = Object::take(Pool::new(&settings)?.get().await?);
    migrations::run(connection, &passwords, MAX_LOCK_WAIT)
        .await
        .map_err(|error| error.to_string())?;
    println!("The database is up to date.");
    Ok(())
}
