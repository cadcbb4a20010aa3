//! Commands and options.

use std::fmt::Write;

use clap::{Command, CommandFactory, FromArgMatches, Parser, Subcommand};
use jiff::civil::Date;
use rollcall_attendance::period::parse_date;

use crate::{audit, calendars, clients, employees, import, report, sessions, sources};

#[derive(Parser)]
#[command(
    name = "scripts/rollcall",
    version,
    about = "The operator's command line of Rollcall.",
    disable_help_subcommand = true,
    subcommand_help_heading = "Subjects"
)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct Arguments {
    /// Print JSON to standard output, with times in UTC. Errors are JSON on standard error.
    #[arg(long, global = true)]
    pub json: bool,
    /// Print only the values: a new secret without a note, or rows without a heading.
    #[arg(long, global = true, conflicts_with = "json")]
    pub quiet: bool,
    /// Show times in UTC. By default they are in the reporting time zone.
    #[arg(long, global = true)]
    pub utc: bool,
    /// Do not ask for confirmation. Required where standard input is not a terminal.
    #[arg(long, global = true)]
    pub yes: bool,
    #[command(subcommand)]
    pub subject: Subject,
}

#[derive(Subcommand)]
pub enum Subject {
    /// API clients, which can get tokens.
    #[command(subcommand)]
    Client(clients::Task),
    /// Sources: gateways and imports that report sessions.
    #[command(subcommand)]
    Source(sources::Task),
    /// Sessions from which reports are computed.
    #[command(subcommand)]
    Session(sessions::Task),
    /// Report first login, last logout and worked time per user and reporting day.
    ///
    /// A session belongs as a whole to the reporting day of its login. Times are in the time zone of
    /// the calendar, in JSON too. A row is final when no session of it is open and all sources have
    /// reported everything up to its end.
    Report(report::Report),
    /// List who is connected now, since when, and from where.
    Live,
    /// Calendars: time zones and starts of reporting days.
    #[command(subcommand)]
    Calendar(calendars::Task),
    /// Employees: records of the HR system, to which persons are mapped.
    #[command(subcommand)]
    Employee(employees::Task),
    /// The audit log.
    #[command(subcommand)]
    Audit(audit::Task),
    /// Signing keys of the tokens.
    #[command(subcommand)]
    Key(KeyTask),
    /// Import sessions from a CSV file: scripts/rollcall import FILE --source NAME.
    Import(import::Arguments),
    /// Print two weeks of sample events as NDJSON, which scripts/demo sends.
    DemoEvents,
    /// Check the settings in .env, as scripts/up does.
    CheckSettings,
}

#[derive(Subcommand)]
pub enum KeyTask {
    /// Create a signing key. It is published at once and signs after 10 minutes.
    Rotate,
}

/// Parses the command line. Exits with code 2 if it is wrong.
pub fn parse() -> Arguments {
    let matches = command().get_matches();
    Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// Parses a date. The error completes a sentence of clap that names the option and the value.
pub fn date(text: &str) -> Result<Date, String> {
    let accepted = "must be a calendar date in the form YYYY-MM-DD";
    parse_date(text).ok_or_else(|| accepted.into())
}

fn command() -> Command {
    let command = Arguments::command();
    let commands = overview(&command, "");
    command.after_help(format!(
        "Commands:\n{commands}\n\
         Exit codes: 0 done, 1 failed (or a part failed), 2 wrong command line."
    ))
}

/// Lists all commands below `command`, one per line.
fn overview(command: &Command, path: &str) -> String {
    let mut lines = String::new();
    for command in command.get_subcommands() {
        let path = format!("{path}{} ", command.get_name());
        if !command.is_subcommand_required_set() {
            let about = command.get_about().map(ToString::to_string);
            let about = about.unwrap_or_default();
            // Writing to a String cannot fail.
            let _ = writeln!(lines, "  {path:<37}{about}");
        }
        lines += &overview(command, &path);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_lists_every_command_in_one_line_each() {
        let mut command = command();
        command.clone().debug_assert();
        let help = command.render_help().to_string();
        for line in [
            "client add",
            "employee import",
            "calendar add",
            "report",
            "live",
            "source set-networks",
            "key rotate",
            "import",
            "import undo",
            "demo-events",
        ] {
            assert!(help.contains(&format!("\n  {line} ")), "{line}: {help}");
        }
        for line in help.lines() {
            assert!(line.chars().count() <= 120, "{line}");
        }
    }
}
