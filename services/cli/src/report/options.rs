//! Options of `rollcall report`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::civil::Date;
use rollcall_attendance::{employee::DEFAULT_CALENDAR, period::Period};
use rollcall_platform::settings;
use rollcall_store::attendance::{Attribution, Calendars, Grouping, Selection, Subject};

use crate::{arguments::date, failure::CommandError};

#[derive(Args)]
pub struct Report {
    /// First reporting day (YYYY-MM-DD).
    #[arg(long, value_parser = date)]
    pub from: Date,
    /// Last reporting day, included (YYYY-MM-DD).
    #[arg(long, value_parser = date)]
    pub to: Date,
    /// User name, in upper or lower case. Without it, all users are in the report.
    #[arg(long)]
    pub user: Option<String>,
    /// Calendar of the reporting days: a name of `calendar list`, or `assigned` for the calendar to
    /// which each person is mapped.
    #[arg(long, default_value = DEFAULT_CALENDAR)]
    pub calendar: String,
    /// Format. The default is that of the extension of --output, or else table.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// File to be written instead of standard output. scripts/rollcall writes it.
    #[arg(long)]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Table for people.
    Table,
    /// Comma-separated values.
    Csv,
    /// Workbook of Excel and other spreadsheets.
    Xlsx,
    /// Array of JSON objects.
    Json,
}

impl Report {
    /// Returns the format of the report. `json` is the option of all commands.
    pub fn format(&self, json: bool) -> Result<Format, CommandError> {
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

    /// Checks the days.
    pub fn check(&self, settings: &settings::Reporting) -> Result<(), CommandError> {
        let (start, zone) = (settings.start_of_day, &settings.time_zone);
        let period = Period::new(self.from, self.to, start, zone, settings.period_days);
        let wrong = |error| CommandError::Usage(format!("--from and --to: {error}."));
        period.map(drop).map_err(wrong)
    }

    pub fn selection(&self, calendars: Calendars) -> Selection {
        Selection {
            first: self.from,
            last: self.to,
            calendars,
            users: self.user.iter().cloned().collect(),
            realms: Vec::new(),
            employee_ids: Vec::new(),
            sources: Vec::new(),
            grouping: Grouping::Day,
            subject: Subject::Person,
            attribution: Attribution::Login,
            include_absent: false,
        }
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
