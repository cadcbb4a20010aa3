//! `rollcall import`: imports sessions from a CSV file, such as the user log that a gateway
//! exports.
//!
//! A row is a session with its login and its logout, or `-` while it is open. Event IDs are derived
//! from the content of the row. So importing a file again, or a later export that overlaps it, adds
//! only new events.

use std::{
    io::{Read, Write},
    path::PathBuf,
    rc::Rc,
};

use clap::Args;
use jiff::{SignedDuration, tz::TimeZone};
use rollcall_attendance::event::Arrival;
use rollcall_formats::csv::{self as log, Columns, Times};
use rollcall_platform::{
    clock::Clock,
    settings::{self, Settings},
};
use rollcall_store::{
    Pool,
    batch::{self, Recorded},
    events::{Outcome, Reported},
    recording::Writer,
    sources,
};
use serde::Serialize;

use crate::{
    failure::CommandError,
    output::Output,
    rejects::{Rejects, Row},
};

/// Maximum number of events in a transaction.
const MAX_BATCH_EVENTS: usize = 1000;
/// Number of rows between two progress messages.
const PROGRESS_ROWS: u64 = 10_000;

#[derive(Args)]
pub struct Task {
    /// Name of the source that the sessions belong to.
    #[arg(long)]
    source: String,
    /// Columns of the fields, for example login=Start,logout=End,user=Account. Columns with the
    /// names of the gateway's own log need not be given. The fields are login, logout, user, realm,
    /// `display_name`, `wan_ip`, `client_ip`, mac, device and reason.
    #[arg(long, value_delimiter = ',', value_parser = log::pair)]
    map: Vec<(String, String)>,
    /// Time zone of times without an offset, an IANA name such as Asia/Kolkata. The default is the
    /// reporting time zone.
    #[arg(long, value_parser = time_zone)]
    time_zone: Option<TimeZone>,
    /// Format of times that are not RFC 3339, as for strftime, for example %d.%m.%Y %H:%M:%S.
    #[arg(long, default_value = "%Y-%m-%d %H:%M:%S")]
    time_format: String,
    /// Character between two columns, for example ";".
    #[arg(long, default_value = ",", value_parser = delimiter)]
    delimiter: u8,
    /// Check the file and record nothing.
    #[arg(long)]
    dry_run: bool,
    /// File for the rejected rows and their errors. scripts/rollcall sets it.
    #[arg(long, hide = true)]
    rejects: Option<PathBuf>,
}

/// Result of an import. Each row is one or two events.
#[derive(Default, Serialize)]
struct Summary {
    rows: u64,
    accepted: u64,
    duplicates: u64,
    rejected: u64,
}

/// Imports the CSV in `input`.
pub async fn run(
    pool: &Pool,
    task: &Task,
    settings: &Settings,
    input: impl Read,
) -> Result<Output, CommandError> {
    let source = &task.source;
    let source_id = pool
        .ask(async |connection| sources::by_name(connection, source).await)
        .await?
        .ok_or_else(|| {
            format!(
                "There is no enabled source named {source}. List the sources with \
                 scripts/rollcall source list, or add one with scripts/rollcall source add \
                 {source}."
            )
        })?;
    let zone = task.time_zone.as_ref();
    let times = Times {
        zone: zone.unwrap_or(&settings.reporting.time_zone).clone(),
        format: task.time_format.clone(),
    };
    // With the default terminator, line numbers would be wrong for lines that end with CR LF. The
    // CR is trimmed.
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(task.delimiter)
        .terminator(csv::Terminator::Any(b'\n'))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(input);
    let headers = reader.headers()?.clone();
    let columns = Columns::find(&headers, &task.map)?;
    let mut import = Import {
        writer: pool.writer(settings.reporting.session_timeout()),
        dry_run: task.dry_run,
        source_id,
        arrival: arrival(&settings.ingestion),
        columns: &columns,
        times: &times,
        waiting: Vec::new(),
        summary: Summary::default(),
        rejects: Rejects::create(task.rejects.as_deref(), task.delimiter, &headers)?,
    };
    for record in reader.into_records() {
        import.row(record).await?;
    }
    import.flush().await?;
    import.rejects.finish()?;
    let has_rejects = import.summary.rejected > 0;
    let note = if task.dry_run {
        "Nothing was recorded (--dry-run)."
    } else {
        ""
    };
    Ok(Output::one(import.summary, note).failed_if(has_rejects))
}

/// Returns the present time, with the tolerances of ingestion.
pub fn arrival(settings: &settings::Ingestion) -> Arrival {
    let seconds = |seconds: u32| SignedDuration::from_secs(seconds.into());
    Arrival {
        at: Clock::System.now(),
        earliest: settings.earliest,
        ahead: seconds(settings.ahead_seconds),
        skew: seconds(settings.skew_seconds),
    }
}

fn time_zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text).map_err(|_| "must be an IANA time zone, such as Asia/Kolkata".into())
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [byte] => Ok(*byte),
        _ => Err("must be one ASCII character, such as \";\"".into()),
    }
}

struct Import<'a> {
    writer: Writer,
    dry_run: bool,
    source_id: i32,
    arrival: Arrival,
    columns: &'a Columns,
    times: &'a Times,
    /// Events that are not yet recorded, with the row of each.
    waiting: Vec<(Rc<Row>, Reported)>,
    summary: Summary,
    rejects: Rejects,
}

impl Import<'_> {
    async fn row(&mut self, record: csv::Result<csv::StringRecord>) -> Result<(), CommandError> {
        self.summary.rows += 1;
        self.show_progress();
        let row = match record {
            Ok(record) => Rc::new(Row::from(record)),
            Err(error) if error.is_io_error() => return Err(error.into()),
            Err(error) => return self.reject(&Row::unreadable(&error), "", &error.to_string()),
        };
        match log::events(&row.record, self.columns, self.times, &self.arrival) {
            Ok(events) => {
                let source_id = self.source_id;
                let reported = events
                    .into_iter()
                    .map(|event| Reported { source_id, event });
                self.waiting
                    .extend(reported.map(|reported| (row.clone(), reported)));
            }
            Err(error) => {
                return self.reject(&row, self.columns.name(&error.field), &error.message);
            }
        }
        if self.waiting.len() >= MAX_BATCH_EVENTS {
            self.flush().await?;
        }
        Ok(())
    }

    fn show_progress(&self) {
        let Summary {
            rows,
            accepted,
            duplicates,
            rejected,
        } = self.summary;
        if rows.is_multiple_of(PROGRESS_ROWS) {
            // Progress is only information, so a closed standard error is no failure.
            let _ = writeln!(
                std::io::stderr(),
                "{rows} rows: {accepted} events accepted, {duplicates} duplicates, {rejected} \
                 rejected"
            );
        }
    }

    async fn flush(&mut self) -> Result<(), CommandError> {
        let (rows, events): (Vec<Rc<Row>>, Vec<Reported>) =
            std::mem::take(&mut self.waiting).into_iter().unzip();
        if events.is_empty() || self.dry_run {
            return Ok(());
        }
        let outcomes = batch::record(&mut self.writer, &events).await;
        for (row, outcome) in rows.iter().zip(outcomes) {
            let outcome = outcome.map_err(|error| {
                format!("Not all rows were imported: {error}. Import the file again.")
            })?;
            match outcome {
                Recorded::As(Outcome::Accepted) => self.summary.accepted += 1,
                Recorded::As(Outcome::Duplicate) => self.summary.duplicates += 1,
                Recorded::As(Outcome::Conflict) => self.reject(
                    row,
                    "",
                    "This session is already recorded with other details.",
                )?,
                Recorded::As(Outcome::SetAside) => self.reject(
                    row,
                    "",
                    "The event is set aside, because the database refused it for an unknown \
                     reason. Record it later with scripts/rollcall source replay.",
                )?,
                Recorded::Refused(why) => self.reject(row, "", &why)?,
            }
        }
        Ok(())
    }

    fn reject(&mut self, row: &Row, column: &str, reason: &str) -> Result<(), CommandError> {
        self.summary.rejected += 1;
        Ok(self.rejects.write(row, column, reason)?)
    }
}
