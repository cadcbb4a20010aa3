//! `rollcall report`

mod json;
mod table;

use std::{
    error::Error,
    io::{Write, stdout},
    path::{Path, PathBuf},
    pin::pin,
    time::Duration,
};

use clap::{Args, ValueEnum};
use futures::{Stream, StreamExt, TryStreamExt};
use jiff::{civil::Date, tz::TimeZone};
use rollcall_attendance::{employee::DEFAULT_CALENDAR, period::Period, row::AttendanceRow};
use rollcall_exports::{CsvOptions, Format as FileFormat, Layout, Options};
use rollcall_platform::{
    clock::Clock,
    settings::{self, Settings},
};
use rollcall_store::{
    Pool,
    attendance::{self, Attribution, Calendars, Grouping, Moment, Selection, Subject},
    audit_log, calendars,
};
use serde_json::json;

use crate::{
    ACTOR, calendars::default_calendar, failure::CommandError, output::Output, person,
    progress::Progress,
};

/// Number of rows after which the progress line changes.
const PROGRESS_ROWS: usize = 1000;

#[derive(Args)]
pub struct Report {
    /// First reporting day (YYYY-MM-DD).
    #[arg(long)]
    from: Date,
    /// Last reporting day, included (YYYY-MM-DD).
    #[arg(long)]
    to: Date,
    /// User name, in upper or lower case. Without it, all users are in the report.
    #[arg(long)]
    user: Option<String>,
    /// Calendar of the reporting days: a name of `calendar list`, or `assigned` for the calendar to
    /// which each person is mapped.
    #[arg(long, default_value = DEFAULT_CALENDAR)]
    calendar: String,
    /// Format. The default is that of the extension of --output, or else table.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// File to be written instead of standard output. scripts/rollcall writes it.
    #[arg(long)]
    output: Option<PathBuf>,
    /// Directory of the scratch files of a workbook. scripts/rollcall sets it.
    #[arg(long, hide = true, default_value = "/tmp")]
    scratch: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Table for people.
    Table,
    /// Comma-separated values.
    Csv,
    /// Workbook of Excel and other spreadsheets.
    Xlsx,
    /// Array of JSON objects.
    Json,
}

/// Options of all commands that change how a report looks.
#[derive(Clone, Copy)]
pub struct Look {
    pub json: bool,
    pub quiet: bool,
    pub utc: bool,
}

pub type Failure = Box<dyn Error + Send + Sync>;

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
    let rows = rows.map_err(Failure::from).map_ok(|row| AttendanceRow {
        time_zone: if look.utc {
            TimeZone::UTC
        } else {
            row.time_zone
        },
        ..row
    });
    let progress = Progress::new(look.quiet);
    let outcome = report.write(format, counted(rows, &progress)).await;
    progress.end();
    outcome.map_err(|error| CommandError::Failed(error))
}

/// Returns the calendars of a report.
async fn calendars(
    pool: &Pool,
    name: &str,
    settings: &settings::Reporting,
) -> Result<Calendars, CommandError> {
    let default = default_calendar(settings);
    if name == DEFAULT_CALENDAR {
        return Ok(Calendars::One(default));
    }
    let named = pool
        .ask(async |connection| calendars::list(connection).await)
        .await?;
    if name == "assigned" {
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
    rows: impl Stream<Item = Result<AttendanceRow, Failure>> + Send + 'a,
    progress: &'a Progress,
) -> impl Stream<Item = Result<AttendanceRow, Failure>> + Send + 'a {
    rows.enumerate().map(|(index, row)| {
        let row = row?;
        if index % PROGRESS_ROWS == 0 {
            let day = row.date.map_or_else(String::new, |day| format!(", {day}"));
            progress.show(&format!("{} rows{day}", index + 1));
        }
        Ok(row)
    })
}

impl Report {
    fn format(&self, json: bool) -> Result<Format, CommandError> {
        let by_extension = self.output.as_deref().map(format_of).transpose()?;
        match self.format {
            Some(format) if json && format != Format::Json => Err(CommandError::Usage(
                "--json cannot be given with another --format.".into(),
            )),
            Some(format) => Ok(format),
            None if json => Ok(Format::Json),
            None => Ok(by_extension.unwrap_or(Format::Table)),
        }
    }

    fn check(&self, settings: &settings::Reporting) -> Result<(), CommandError> {
        let (start, zone) = (settings.start_of_day, &settings.time_zone);
        let period = Period::new(self.from, self.to, start, zone, settings.period_days);
        let wrong = |error| CommandError::Usage(format!("--from and --to: {error}."));
        period.map(drop).map_err(wrong)
    }

    fn selection(&self, calendars: Calendars) -> Selection {
        Selection {
            first: self.from,
            last: self.to,
            calendars,
            users: self.user.iter().cloned().collect(),
            realms: Vec::new(),
            employee_ids: Vec::new(),
            grouping: Grouping::Day,
            subject: Subject::Person,
            attribution: Attribution::Login,
            include_absent: false,
        }
    }

    async fn write(
        &self,
        format: Format,
        rows: impl Stream<Item = Result<AttendanceRow, Failure>> + Send,
    ) -> Result<Output, Failure> {
        let file = match format {
            Format::Table => return table::write(rows, self.from, self.to).await,
            Format::Json => return json::write(rows).await,
            Format::Csv => FileFormat::Csv,
            Format::Xlsx => FileFormat::Xlsx,
        };
        let options = Options {
            layout: Layout::default(),
            csv: CsvOptions::default(),
            metadata: vec![("calendar".into(), self.calendar.clone())],
            scratch_directory: self.scratch.clone(),
        };
        let mut chunks = pin!(file.encode(rows, options));
        while let Some(chunk) = chunks.try_next().await? {
            stdout().write_all(&chunk)?;
        }
        stdout().flush()?;
        Ok(Output::printed())
    }
}

/// Returns the format of a file with the extension of `path`.
fn format_of(path: &Path) -> Result<Format, CommandError> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("csv") => Ok(Format::Csv),
        Some("xlsx") => Ok(Format::Xlsx),
        Some("json") => Ok(Format::Json),
        Some("txt") => Ok(Format::Table),
        _ => Err(CommandError::Usage(format!(
            "--output must end in .csv, .xlsx, .json or .txt (got {}).",
            path.display()
        ))),
    }
}
