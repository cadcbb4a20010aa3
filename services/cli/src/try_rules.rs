//! `rollcall source try-rules`: shows what the rules make of a log file.

mod masked;
mod report;

use std::io::BufRead;

use clap::Args;
use jiff::tz::TimeZone;
use rollcall_attendance::event::{Arrival, Event};
use rollcall_formats::{
    rules::Rules,
    syslog::{Context, Found, Logins, Matched, parse},
};

use self::report::Report;
use crate::{failure::CommandError, output::Output};

#[derive(Args)]
pub struct Task {
    /// Time zone of times without an offset, an IANA name such as Asia/Kolkata.
    #[arg(long, default_value = "UTC", value_parser = time_zone)]
    time_zone: TimeZone,
    /// Show all sessions, and each event with its line.
    #[arg(long)]
    all: bool,
}

fn time_zone(name: &str) -> Result<TimeZone, String> {
    let accepted = "must be an IANA time zone such as Asia/Kolkata";
    TimeZone::get(name).map_err(|_| accepted.to_owned())
}

/// Applies the rules to each line of `input`, as ingestion does to a message that arrives now.
pub fn run(
    task: &Task,
    rules: &Rules,
    data_id: &str,
    arrival: &Arrival,
    input: impl BufRead,
) -> Result<Output, CommandError> {
    let context = Context {
        data_id,
        rules,
        zone: task.time_zone.clone(),
        received_at: arrival.at,
    };
    let mut logins = Logins::default();
    let mut report = Report::new(task.all);
    for (index, line) in input.split(b'\n').enumerate() {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        if line.trim().is_empty() {
            continue;
        }
        let number = index + 1;
        match parse(&line, &context) {
            Ok(Found::Events(events)) => match validated(events, &mut logins, arrival) {
                Ok((rule, events)) => report.add_events(number, rule, events),
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
fn validated(
    matched: Vec<Matched>,
    logins: &mut Logins,
    arrival: &Arrival,
) -> Result<(String, Vec<Event>), String> {
    let mut rule = String::new();
    let mut events = Vec::new();
    for matched in matched {
        rule.clone_from(&matched.rule);
        let resolved = logins.resolve(matched);
        let raw = resolved.unwrap_or_else(|matched| matched.session(None));
        let parsed = Event::parse_all(raw, arrival);
        events.extend(parsed.map_err(|error| format!("{error} (rule {rule})"))?);
    }
    Ok((rule, events))
}
