//! A file that maps persons to employees, as `scripts/rollcall employee import` reads it.

use std::{fmt::Display, io::Cursor};

use actix_web::web::Bytes;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use rollcall_formats::csv::{ColumnError, Columns, Format, MAPPING, Parsed, Plan, Reader, Row};
use rollcall_store::{Error, Pool, audit_log, calendars, employees};
use serde_json::json;

use crate::error::Problem;

/// Maximum number of rows. All of them are in memory, which is small here. The command line accepts
/// more.
const MAX_ROWS: usize = 50_000;

/// The rows of a file.
pub struct MappingFile {
    name: String,
    columns: Columns,
    rows: Vec<Row>,
}

impl MappingFile {
    /// Reads a file. Delimiter and encoding are detected.
    ///
    /// # Errors
    /// 400 if a required column is missing, or if there are too many rows.
    pub fn read(name: String, content: Bytes) -> Result<Self, Problem> {
        let reader = Reader::open(Cursor::new(content), Format::default());
        let mut reader = reader.map_err(unreadable)?;
        let columns = Columns::find(reader.headers(), &MAPPING, &[]).map_err(no_column)?;
        let mut rows = Vec::new();
        while let Some(row) = reader.next_row().map_err(unreadable)? {
            if rows.len() == MAX_ROWS {
                let max = MAX_ROWS.to_string();
                return Err(Problem::bad_request("mapping.too_many", &[("max", &max)]));
            }
            rows.push(row);
        }
        Ok(Self {
            name,
            columns,
            rows,
        })
    }

    /// Returns the line of a row.
    #[must_use]
    pub fn line(&self, row: usize) -> u64 {
        self.rows.get(row).map_or(0, |row| row.line)
    }

    /// Returns what the file changes, and stores the changes for `client` unless it is `None`.
    ///
    /// Returns `None`, and stores nothing, if the API client is disabled.
    ///
    /// # Errors
    /// The database fails.
    pub async fn import(&self, pool: &Pool, client: Option<&str>) -> Result<Option<Plan>, Problem> {
        let plan = pool.ask(async |connection| {
            connection
                .transaction(async |connection| {
                    let plan = self.plan(connection).await?;
                    let is_done = match client {
                        Some(client) => self.carry_out(connection, &plan, client).await?,
                        None => true,
                    };
                    Ok::<_, Error>(is_done.then_some(plan))
                })
                .await
        });
        Ok(plan.await?)
    }

    /// Computes the changes. Other changes wait until the end of the transaction.
    async fn plan(&self, connection: &mut AsyncPgConnection) -> Result<Plan, Error> {
        employees::lock(connection).await?;
        let named = calendars::list(connection).await?;
        let named: Vec<String> = named.into_iter().map(|(name, _)| name).collect();
        let parsed = Parsed::new(&self.rows, &self.columns, &named);
        let stored = employees::of_persons(connection, parsed.persons()).await?;
        Ok(parsed.merge(&self.rows, &stored))
    }

    /// Stores the changes if the API client is enabled. Returns false otherwise.
    async fn carry_out(
        &self,
        connection: &mut AsyncPgConnection,
        plan: &Plan,
        client: &str,
    ) -> Result<bool, Error> {
        let mut detail = json!(plan.counts);
        detail["name"] = self.name.as_str().into();
        let is_enabled =
            audit_log::write_for_client(connection, client, "employee.import", detail).await?;
        if is_enabled {
            employees::set(connection, &plan.changed).await?;
        }
        Ok(is_enabled)
    }
}

fn no_column(error: ColumnError) -> Problem {
    match error {
        ColumnError::Missing { field, all } => {
            let values = [("field", field), ("all", &all)];
            Problem::bad_request("mapping.no_column", &values)
        }
        // Only the command line names columns.
        error @ ColumnError::Unknown { .. } => unreadable(error),
    }
}

fn unreadable(detail: impl Display) -> Problem {
    Problem::bad_request("mapping.bad", &[("detail", &format!("{detail}"))])
}
