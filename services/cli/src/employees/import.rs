//! Imports mappings of persons to employees from a CSV file.

use std::io::Read;

use clap::Args;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use rollcall_formats::csv::{Columns, Counts, MAPPING, Parsed, Plan, Reader, Row, delimiter_name};
use rollcall_platform::settings::{self, Settings};
use rollcall_store::{Pool, audit_log, calendars, employees};
use serde::Serialize;
use serde_json::json;

use crate::{ACTOR, csv_file::CsvFile, failure::CommandError, output::Output, person};

/// Maximum number of rows. They are in memory at the same time, because all rows of a person are
/// merged together.
const MAX_ROWS: usize = 200_000;

/// Time limit, which includes the wait for another import.
const WAIT_MILLISECONDS: u64 = 10 * 60 * 1000;

#[derive(Args)]
pub struct ImportFile {
    #[command(flatten)]
    csv: CsvFile,
    /// Columns of the fields, for example `user=Account,employee_id=Number`. The fields are user,
    /// realm, `employee_id`, calendar, `valid_from` and `valid_to`. Columns with these names need
    /// not be given.
    #[arg(long, value_delimiter = ',', value_parser = |text: &str| MAPPING.pair(text))]
    map: Vec<(String, String)>,
}

/// Result of an import.
#[derive(Serialize)]
struct Summary<'a> {
    #[serde(flatten)]
    counts: &'a Counts,
    /// Columns of the file that no field is read from.
    ignored_columns: Vec<&'a str>,
    delimiter: String,
    encoding: &'static str,
}

/// Imports the file with the content `input`, in one transaction.
pub async fn run(
    options: &ImportFile,
    settings: &Settings,
    input: impl Read + 'static,
) -> Result<Output, CommandError> {
    let mut reader = options.csv.open(input)?;
    let columns = Columns::find(reader.headers(), &MAPPING, &options.map)?;
    let rows = read(&mut reader)?;
    let patient = settings::Database {
        wait_milliseconds: WAIT_MILLISECONDS,
        ..settings.database.clone()
    };
    let pool = Pool::new(&patient)?;
    let plan = pool.ask(async |connection| {
        connection
            .transaction(async |connection| {
                let plan = plan(connection, &rows, &columns).await?;
                if !options.csv.dry_run {
                    carry_out(connection, &plan, &options.csv.file).await?;
                }
                Ok::<_, rollcall_store::Error>(plan)
            })
            .await
    });
    let plan = plan.await?;
    let mut rejects = options.csv.rejects(&reader)?;
    for rejection in &plan.rejected {
        let reason = rejection.reason.to_string();
        rejects.write(&rows[rejection.row], &rejection.column, &reason)?;
    }
    rejects.finish()?;
    let summary = Summary {
        counts: &plan.counts,
        ignored_columns: columns.ignored(),
        delimiter: delimiter_name(reader.delimiter()),
        encoding: reader.encoding(),
    };
    let note = if options.csv.dry_run {
        "Nothing was stored (--dry-run)."
    } else {
        ""
    };
    Ok(Output::one(summary, note).failed_if(plan.counts.rejected > 0))
}

fn read(reader: &mut Reader) -> Result<Vec<Row>, CommandError> {
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row()? {
        rows.push(row);
        if rows.len() > MAX_ROWS {
            return Err(format!(
                "The file has more than {MAX_ROWS} rows, so nothing was imported. Divide it, with \
                 all rows of a person in one file."
            )
            .into());
        }
    }
    Ok(rows)
}

/// Computes what the rows change, and makes other changes wait until the end of the transaction.
async fn plan(
    connection: &mut AsyncPgConnection,
    rows: &[Row],
    columns: &Columns,
) -> Result<Plan, rollcall_store::Error> {
    employees::lock(connection).await?;
    let named = calendars::list(connection).await?;
    let named: Vec<String> = named.into_iter().map(|(name, _)| name).collect();
    let parsed = Parsed::new(rows, columns, &named);
    let stored = employees::of_persons(connection, parsed.persons()).await?;
    Ok(parsed.merge(rows, &stored))
}

async fn carry_out(
    connection: &mut AsyncPgConnection,
    plan: &Plan,
    file: &str,
) -> Result<(), rollcall_store::Error> {
    employees::set(connection, &plan.changed).await?;
    let mut detail = json!(plan.counts);
    detail["name"] = file.into();
    detail["person"] = person().into();
    audit_log::write(connection, ACTOR, "employee.import", detail).await?;
    Ok(())
}
