//! `rollcall source try-rules`: shows what the rules make of a log file.

mod masked;
mod report;

use std::io::BufRead;

use clap::Args;
use jiff::tz::TimeZone;
use rollcall_attendance::{
    event::{Arrival, Event},
    name_rules::{NameRule, NameRules},
};
use rollcall_formats::{
    rules::Rules,
    syslog::{Context, Found, Matched, parse},
};
use rollcall_platform::settings::Settings;
use rollcall_store::Pool;

use self::report::Report;
use crate::{
    failure::CommandError,
    import::file::arrival,
    output::Output,
    sources::{self, LogSource},
};

#[derive(Args)]
pub struct Task {
    /// Source of the log, whose time zone and name rules apply.
    #[arg(long, conflicts_with = "time_zone")]
    source: Option<String>,
    /// Time zone of times without an offset, an IANA name such as Asia/Kolkata. The default is the
    /// reporting time zone.
    #[arg(long, value_parser = sources::time_zone)]
    time_zone: Option<TimeZone>,
    /// Rule for the names, as for source set-names; may be repeated. The default is the rules of
    /// the source.
    #[arg(long = "name-rule", value_name = "RULE")]
    name_rules: Vec<NameRule>,
    /// Show all sessions, and each event with its line.
    #[arg(long)]
    all: bool,
}

/// Returns the settings with which the log is read. The options take precedence over the settings of the source.
pub async fn log_source(
    pool: &Pool,
    task: &Task,
    reporting: &TimeZone,
) -> Result<LogSource, CommandError> {
    let mut log = match &task.source {
        Some(name) => sources::log_source(pool, name, reporting).await?,
        None => LogSource {
            zone: task.time_zone.as_ref().unwrap_or(reporting).clone(),
            name_rules: NameRules::default(),
        },
    };
    if !task.name_rules.is_empty() {
        log.name_rules = NameRules(task.name_rules.clone());
    }
    Ok(log)
}

/// Applies the rules to each line of `input`, as ingestion does to a message that arrives now.
pub fn run(
    task: &Task,
    rules: &Rules,
    log: &LogSource,
    settings: &Settings,
    input: impl BufRead,
) -> Result<Output, CommandError> {
    let arrival = arrival(&settings.ingestion);
    let context = Context {
        data_id: &settings.ingestion.syslog_data_id,
        rules,
        zone: log.zone.clone(),
        received_at: arrival.at,
    };
    let mut report = Report::new(task.all, settings.reporting.session_timeout());
    for (index, line) in input.split(b'\n').enumerate() {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        if line.trim().is_empty() {
            continue;
        }
        let number = index + 1;
        match parse(&line, &context) {
            Ok(Found::Events(events)) => match validated(events, &arrival) {
                Ok((rule, mut events)) => {
                    for event in &mut events {
                        log.name_rules.apply(event);
                    }
                    report.add_events(number, rule, events);
                }
                Err(reason) => report.add_rejected(number, reason),
            },
            Ok(Found::Ignored(rule)) => report.add_ignored(rule),
            Ok(Found::Unmatched) => report.add_unmatched(number, &line),
            Err(error) => report.add_rejected(number, error.to_string()),
        }
    }
    Ok(report.output())
}

/// Returns the rule and the events that ingestion would record.
fn validated(matched: Vec<Matched>, arrival: &Arrival) -> Result<(String, Vec<Event>), String> {
    let mut rule = String::new();
    let mut events = Vec::new();
    for matched in matched {
        rule.clone_from(&matched.rule);
        let parsed = Event::parse_all(matched.raw, arrival);
        events.extend(parsed.map_err(|error| format!("{error} (rule {rule})"))?);
    }
    Ok((rule, events))
}
