//! `rollcall report`

mod json;
mod options;
mod table;

use std::{
    error::Error,
    io::{Write, stdout},
    path::Path,
    pin::pin,
    time::Duration,
};

use futures::{Stream, StreamExt, TryStreamExt};
use jiff::tz::TimeZone;
use rollcall_attendance::{
    employee::{ASSIGNED_CALENDAR, DEFAULT_CALENDAR},
    row::AttendanceRow,
};
use rollcall_exports::{CsvOptions, Format as FileFormat, Layout, Options};
use rollcall_platform::{
    clock::Clock,
    settings::{self, Settings},
};
use rollcall_store::{
    Pool,
    attendance::{self, Calendars, Moment},
    audit_log, calendars,
};
use serde_json::json;

use self::options::Format;
pub use self::options::Report;
use crate::{ACTOR, failure::CommandError, output::Output, person, progress::Progress};

/// Number of rows after which the progress line changes.
const PROGRESS_ROWS: usize = 1000;

/// Options of all commands that change how a report looks.
#[derive(Clone, Copy)]
pub struct Look {
    pub json: bool,
    pub quiet: bool,
    pub utc: bool,
}

/// Reason why the rows of a report cannot be read or written.
pub type RowsError = Box<dyn Error + Send + Sync>;

pub async fn run(
    pool: &Pool,
    report: Report,
    settings: &Settings,
    look: Look,
) -> Result<Output, CommandError> {
    let format = report.format(look.json)?;
    let calendars = calendars(pool, &report.calendar, &settings.reporting).await?;
    report.check(&settings.reporting)?;
    let detail = json!({
        "from": report.from,
        "to": report.to,
        "user": report.user,
        "calendar": report.calendar,
        "person": person(),
    });
    pool.ask(async |connection| audit_log::write(connection, ACTOR, "report", detail).await)
        .await?;
    // The statement may take longer than the limit of the role.
    let limit = Duration::from_secs(settings.reporting.stream_seconds.into());
    let connection = Pool::for_streams(&settings.database, 1, limit)?
        .get()
        .await?;
    let moment = Moment {
        now: Clock::System.now(),
        timeout: settings.reporting.session_timeout(),
    };
    let rows = attendance::rows(connection, report.selection(calendars), None, moment);
    let rows = rows.map_err(RowsError::from).map_ok(|row| AttendanceRow {
        time_zone: if look.utc {
            TimeZone::UTC
        } else {
            row.time_zone
        },
        ..row
    });
    let progress = Progress::new(look.quiet);
    let scratch = &settings.reporting.scratch_directory;
    let outcome = write(&report, format, scratch, counted(rows, &progress)).await;
    progress.end();
    outcome.map_err(|error| CommandError::Failed(error))
}

/// Returns the calendars of a report.
async fn calendars(
    pool: &Pool,
    name: &str,
    settings: &settings::Reporting,
) -> Result<Calendars, CommandError> {
    let default = calendars::default(settings);
    if name == DEFAULT_CALENDAR {
        return Ok(Calendars::One(default));
    }
    let named = pool
        .ask(async |connection| calendars::list(connection).await)
        .await?;
    if name == ASSIGNED_CALENDAR {
        return Ok(Calendars::Assigned { default, named });
    }
    let found = named.into_iter().find(|(known, _)| known == name);
    found
        .map(|(_, calendar)| Calendars::One(calendar))
        .ok_or_else(|| {
            CommandError::Usage(format!(
                "There is no calendar named {name}. List the calendars with scripts/rollcall \
                 calendar list, or give --calendar assigned."
            ))
        })
}

/// Shows the number of rows while they pass.
fn counted<'a>(
    rows: impl Stream<Item = Result<AttendanceRow, RowsError>> + Send + 'a,
    progress: &'a Progress,
) -> impl Stream<Item = Result<AttendanceRow, RowsError>> + Send + 'a {
    rows.enumerate().map(|(index, row)| {
        let row = row?;
        if index % PROGRESS_ROWS == 0 {
            let day = row.date.map_or_else(String::new, |day| format!(", {day}"));
            progress.show(&format!("{} rows{day}", index + 1));
        }
        Ok(row)
    })
}

/// Writes the rows in a format.
async fn write(
    report: &Report,
    format: Format,
    scratch: &Path,
    rows: impl Stream<Item = Result<AttendanceRow, RowsError>> + Send,
) -> Result<Output, RowsError> {
    let file = match format {
        Format::Table => return table::write(rows, report.from, report.to).await,
        Format::Json => return json::write(rows).await,
        Format::Csv => FileFormat::Csv,
        Format::Xlsx => FileFormat::Xlsx,
    };
    let options = Options {
        layout: Layout::default(),
        csv: CsvOptions::default(),
        metadata: vec![("calendar".into(), report.calendar.clone())],
        scratch_directory: scratch.to_owned(),
    };
    let mut chunks = pin!(file.encode(rows, options));
    while let Some(chunk) = chunks.try_next().await? {
        stdout().write_all(&chunk)?;
    }
    stdout().flush()?;
    Ok(Output::printed())
}
