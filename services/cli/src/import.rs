//! `rollcall import`: sessions from a CSV file, as the gateway's own user log exports them.
//!
//! A row is a session: its login, and its logout or `-` while it is on. Ids are made of what the row says, so that
//! the same file, or a later export that overlaps it, adds only what is new.

use std::io::{Read, Write};

use clap::Args;
use jiff::tz::TimeZone;
use rollcall_attendance::event::Arrival;
use rollcall_formats::csv::{self as log, Columns, Times};
use rollcall_ingestion::{
    arrivals::Arrivals,
    recorder::{Recorded, Recorder},
};
use rollcall_platform::{clock::Clock, command::Failure, settings::Settings};
use rollcall_store::{
    Pool,
    events::{Outcome, Reported},
    sources,
};
use serde::Serialize;

use crate::output::Output;

/// Events in one transaction.
const BATCH: usize = 1000;
/// Rows between two lines of progress.
const PROGRESS: u64 = 10_000;

#[derive(Args)]
pub struct Task {
    /// The source that the sessions belong to.
    #[arg(long)]
    source: String,
    /// Which column holds what, as login=Start,logout=End; columns named as in the gateway's log need none.
    #[arg(long, value_delimiter = ',', value_parser = log::pair)]
    map: Vec<(String, String)>,
    /// Zone of times without an offset, an IANA name; the reporting time zone when left out.
    #[arg(long)]
    time_zone: Option<String>,
    /// Format of times that are not RFC 3339, as of strftime.
    #[arg(long, default_value = "%Y-%m-%d %H:%M:%S")]
    time_format: String,
    /// Read and check the file, and record nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Default, Serialize)]
struct Summary {
    rows: u64,
    accepted: u64,
    duplicates: u64,
    rejected: u64,
}

/// Reads CSV from `input`; writes the rows that were refused to `rejects`: line, column, reason.
pub async fn run(
    pool: &Pool,
    task: &Task,
    settings: &Settings,
    input: impl Read,
    rejects: impl Write,
) -> Result<Output, Failure> {
    let source_id = pool
        .ask(async |connection| sources::by_name(connection, &task.source).await)
        .await?;
    let source_id = source_id.ok_or_else(|| {
        format!(
            "there is no enabled source named {}: see scripts/rollcall source list",
            task.source
        )
    })?;
    let zone = task
        .time_zone
        .as_deref()
        .map(TimeZone::get)
        .transpose()
        .map_err(|error| format!("--time-zone: {error}"))?
        .unwrap_or_else(|| settings.reporting.time_zone.clone());
    let arrival = Arrivals::new(Clock::System, &settings.ingestion).now();
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(input);
    let columns = Columns::find(reader.headers()?, &task.map)?;
    let times = Times {
        zone,
        format: task.time_format.clone(),
    };
    let mut import = Import {
        recorder: Recorder::start(pool, &settings.ingestion),
        task,
        source_id,
        arrival,
        waiting: Vec::new(),
        summary: Summary::default(),
        rejects: csv::Writer::from_writer(rejects),
    };
    import.rejects.write_record(["line", "column", "reason"])?;
    for record in reader.into_records() {
        import.row(record, &columns, &times).await?;
    }
    import.flush().await?;
    import.rejects.flush()?;
    Ok(Output::one(
        import.summary,
        if task.dry_run {
            "Nothing was recorded: --dry-run."
        } else {
            ""
        },
    ))
}

struct Import<'a, W: Write> {
    recorder: Recorder,
    task: &'a Task,
    source_id: i32,
    arrival: Arrival,
    /// With the line that each came from.
    waiting: Vec<(u64, Reported)>,
    summary: Summary,
    rejects: csv::Writer<W>,
}

impl<W: Write> Import<'_, W> {
    async fn row(
        &mut self,
        record: csv::Result<csv::StringRecord>,
        columns: &Columns,
        times: &Times,
    ) -> Result<(), Failure> {
        self.summary.rows += 1;
        if self.summary.rows.is_multiple_of(PROGRESS) {
            eprintln!(
                "{} rows, {} new events, {} known, {} refused",
                self.summary.rows,
                self.summary.accepted,
                self.summary.duplicates,
                self.summary.rejected
            );
        }
        let record = match record {
            Ok(record) => record,
            Err(error) if error.is_io_error() => return Err(error.into()),
            Err(error) => {
                return self.reject(
                    error.position().map_or(0, csv::Position::line),
                    "",
                    &error.to_string(),
                );
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        match log::events(&record, columns, times, &self.arrival) {
            Ok(events) => self.waiting.extend(events.into_iter().map(|event| {
                (
                    line,
                    Reported {
                        source_id: self.source_id,
                        event,
                    },
                )
            })),
            Err(refusal) => {
                return self.reject(line, columns.name(&refusal.field), &refusal.message);
            }
        }
        if self.waiting.len() >= BATCH {
            self.flush().await
        } else {
            Ok(())
        }
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        let (lines, batch): (Vec<u64>, Vec<Reported>) =
            std::mem::take(&mut self.waiting).into_iter().unzip();
        if batch.is_empty() || self.task.dry_run {
            return Ok(());
        }
        let recorded = self
            .recorder
            .record(batch)
            .await
            .map_err(|error| format!("{error}: import the file again"))?;
        for (line, outcome) in lines.into_iter().zip(recorded) {
            match outcome {
                Recorded::As(Outcome::Accepted) => self.summary.accepted += 1,
                Recorded::As(Outcome::Duplicate) => self.summary.duplicates += 1,
                Recorded::As(Outcome::Conflict) => {
                    self.reject(
                        line,
                        "",
                        "this session is recorded already, with other details",
                    )?;
                }
                Recorded::As(Outcome::SetAside) => self.reject(
                    line,
                    "",
                    "set aside: the database refused it for an unknown reason. See scripts/rollcall source replay",
                )?,
                Recorded::Refused(why) => self.reject(line, "", &why)?,
            }
        }
        Ok(())
    }

    fn reject(&mut self, line: u64, column: &str, reason: &str) -> Result<(), Failure> {
        self.summary.rejected += 1;
        Ok(self
            .rejects
            .write_record([&line.to_string(), column, reason])?)
    }
}
