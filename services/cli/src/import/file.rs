//! Imports sessions from a CSV file, such as the user log that a gateway exports.
//!
//! A row is a session with its login and its logout, or `-` while it is open. Event IDs are derived
//! from the content of the row. So importing a file again, or a later export that overlaps it, adds
//! only new events.

use std::{cell::Cell, io::Read, rc::Rc};

use clap::Args;
use jiff::{SignedDuration, tz::TimeZone};
use rollcall_attendance::{event::Arrival, name_rules::NameRules};
use rollcall_formats::csv::{self as log, Columns, Reader, Row, Times};
use rollcall_platform::{
    clock::Clock,
    settings::{self, Settings},
};
use rollcall_store::{
    Pool,
    batch::Recorded,
    events::{Outcome, Receiver, Reported},
    imports::Counts,
    sources,
};
use serde::Serialize;

use super::recorder::Recorder;
use crate::{
    csv_file::CsvFile,
    failure::CommandError,
    output::Output,
    progress::Progress,
    rejects::Rejects,
    sources::{log_source, time_zone},
};

/// Maximum number of events in a transaction.
const MAX_BATCH_EVENTS: usize = 1000;

#[derive(Args)]
pub struct ImportFile {
    /// Name of the source that the sessions belong to.
    #[arg(long)]
    source: String,
    /// Columns of the fields, for example login=Start,logout=End,user=Account. Columns with the
    /// names of the gateway's own log need not be given. The fields are login, logout, user, realm,
    /// `display_name`, `wan_ip`, `client_ip`, mac, device and reason.
    #[arg(long, value_delimiter = ',', value_parser = |text: &str| log::SESSION.pair(text))]
    map: Vec<(String, String)>,
    /// Time zone of times without an offset, an IANA name such as Asia/Kolkata. The default is the
    /// zone of the source (source set), or else the reporting time zone.
    #[arg(long, value_parser = time_zone)]
    time_zone: Option<TimeZone>,
    /// Format of times that are not RFC 3339, as for strftime, for example %d.%m.%Y %H:%M:%S.
    #[arg(long, default_value = "%Y-%m-%d %H:%M:%S")]
    time_format: String,
}

/// Result of an import. A row is one or two events.
#[derive(Serialize)]
struct Summary {
    /// ID of the import. None in a dry run.
    import: Option<i32>,
    #[serde(flatten)]
    counts: Counts,
    /// Number of local times that a clock change skips or repeats.
    clock_changes: i64,
    delimiter: String,
    encoding: &'static str,
}

/// Imports the file with the content `input`.
pub async fn run(
    pool: &Pool,
    csv: &CsvFile,
    options: &ImportFile,
    settings: &Settings,
    input: impl Read + 'static,
    quiet: bool,
) -> Result<Output, CommandError> {
    let source_id = source_id(pool, &options.source).await?;
    let mut reader = csv.open(input)?;
    let columns = Columns::find(reader.headers(), &log::SESSION, &options.map)?;
    let log = log_source(pool, &options.source, &settings.reporting.time_zone).await?;
    let writer = pool.writer(settings.reporting.session_timeout());
    let mut import = Import {
        source_id,
        name_rules: log.name_rules,
        arrival: arrival(&settings.ingestion),
        columns,
        times: Times {
            zone: options.time_zone.clone().unwrap_or(log.zone),
            format: options.time_format.clone(),
        },
        waiting: Vec::new(),
        counts: Counts::default(),
        clock_changes: 0,
        rejects: csv.rejects(&reader)?,
        progress: Progress::new(quiet),
        recorder: if csv.dry_run {
            Recorder::preview(writer)
        } else {
            Recorder::begin(pool, writer, source_id, &csv.file).await?
        },
    };
    while let Some(row) = reader.next_row()? {
        import.row(row).await?;
    }
    import.finish(pool, &reader).await
}

async fn source_id(pool: &Pool, name: &str) -> Result<i32, CommandError> {
    let found = pool.ask(async |connection| sources::by_name(connection, name).await);
    found.await?.ok_or_else(|| {
        CommandError::from(format!(
            "There is no enabled source named {name}. List the sources with scripts/rollcall \
             source list, or add one with scripts/rollcall source add {name}."
        ))
    })
}

/// Returns the present time, with the tolerances of ingestion. Rows of a log arrive long after
/// their sessions, which says nothing about a clock.
pub fn arrival(settings: &settings::Ingestion) -> Arrival {
    Arrival {
        at: Clock::System.now(),
        earliest: settings.earliest,
        ahead: SignedDuration::from_secs(settings.ahead_seconds.into()),
        skew: SignedDuration::MAX,
    }
}

/// A row whose events are not yet recorded.
struct Waiting {
    row: Row,
    is_rejected: Cell<bool>,
}

struct Import {
    source_id: i32,
    name_rules: NameRules,
    arrival: Arrival,
    columns: Columns,
    times: Times,
    /// Events that are not yet recorded, with the row of each.
    waiting: Vec<(Rc<Waiting>, Reported)>,
    counts: Counts,
    clock_changes: i64,
    rejects: Rejects,
    progress: Progress,
    recorder: Recorder,
}

impl Import {
    async fn row(&mut self, row: Row) -> Result<(), CommandError> {
        self.counts.rows += 1;
        let row = Rc::new(Waiting {
            row,
            is_rejected: Cell::new(false),
        });
        if let Some(problem) = &row.row.problem {
            return self.reject(&row, "", &problem.to_string());
        }
        match log::session(&row.row.record, &self.columns, &self.times, &self.arrival) {
            Ok(session) => {
                self.clock_changes += session.clock_changes;
                let (source_id, name_rules) = (self.source_id, &self.name_rules);
                self.waiting.extend(session.events.into_iter().map(|event| {
                    let reported = Reported::new(source_id, event, name_rules, Receiver::Import);
                    (row.clone(), reported)
                }));
            }
            Err(error) => {
                let column = self.columns.name(&error.field).to_owned();
                return self.reject(&row, &column, &error.message);
            }
        }
        if self.waiting.len() >= MAX_BATCH_EVENTS {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), CommandError> {
        let (rows, events): (Vec<Rc<Waiting>>, Vec<Reported>) =
            std::mem::take(&mut self.waiting).into_iter().unzip();
        for (row, outcome) in rows.iter().zip(self.recorder.record(&events).await?) {
            match outcome {
                Recorded::As(Outcome::Accepted) => self.counts.accepted_events += 1,
                Recorded::As(Outcome::Duplicate) => self.counts.duplicate_events += 1,
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
        self.progress.show(&format!(
            "{} rows: {} events accepted, {} duplicates, {} rows rejected",
            self.counts.rows,
            self.counts.accepted_events,
            self.counts.duplicate_events,
            self.counts.rejected_rows,
        ));
        Ok(())
    }

    /// Rejects a row. A row of which both events are refused is rejected once.
    fn reject(&mut self, row: &Waiting, column: &str, reason: &str) -> Result<(), CommandError> {
        if !row.is_rejected.replace(true) {
            self.counts.rejected_rows += 1;
            self.rejects.write(&row.row, column, reason)?;
        }
        Ok(())
    }

    async fn finish(mut self, pool: &Pool, reader: &Reader) -> Result<Output, CommandError> {
        self.flush().await?;
        self.rejects.finish()?;
        self.progress.end();
        let import = self.recorder.finish(pool, &self.counts).await?;
        let summary = Summary {
            import,
            counts: self.counts,
            clock_changes: self.clock_changes,
            delimiter: log::delimiter_name(reader.delimiter()),
            encoding: reader.encoding(),
        };
        let note = match import {
            Some(id) => format!("Undo this import with scripts/rollcall import undo {id}."),
            None => "Nothing was recorded (--dry-run). An import would accept these events.".into(),
        };
        let has_rejects = self.counts.rejected_rows > 0;
        Ok(Output::one(summary, &note).failed_if(has_rejects))
    }
}
