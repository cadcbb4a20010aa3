//! `rollcall source try-rule`: shows the events that the rules find in a log file.

use std::io::BufRead;

use rollcall_formats::syslog::{Found, Rules, parse_line};
use serde::Serialize;

use crate::{failure::CommandError, output::Output};

/// A line with an event, or a line that cannot be parsed.
#[derive(Default, Serialize)]
struct Row {
    line: usize,
    rule: Option<String>,
    r#type: Option<String>,
    occurred_at: Option<String>,
    user: Option<String>,
    /// Session ID or correlation key.
    session: Option<String>,
    address: Option<String>,
    reason: Option<String>,
    error: Option<String>,
}

/// Parses each line of `input` as an RFC 5424 message, or as a log line with an RFC 3339 time.
pub fn run(rules: &Rules, data_id: &str, input: impl BufRead) -> Result<Output, CommandError> {
    let mut rows = Vec::new();
    let mut nothing = 0;
    for (index, line) in input.split(b'\n').enumerate() {
        let line = String::from_utf8_lossy(&line?).trim_end().to_owned();
        let (rule, raw) = match parse_line(&line, data_id, rules) {
            Ok(Found::Structured(raw)) => ("structured data".to_owned(), raw),
            Ok(Found::Matched(matched)) => (matched.rule, matched.raw),
            Ok(Found::Nothing) => {
                nothing += 1;
                continue;
            }
            Err(error) => {
                rows.push(Row {
                    line: index + 1,
                    error: Some(error.to_string()),
                    ..Row::default()
                });
                continue;
            }
        };
        rows.push(Row {
            line: index + 1,
            rule: Some(rule),
            r#type: raw.kind,
            occurred_at: raw.occurred_at,
            user: raw.user,
            session: raw.session_id.or(raw.correlation_key),
            address: raw.wan_ip.or(raw.client_ip),
            reason: raw.reason,
            error: None,
        });
    }
    let has_errors = rows.iter().any(|row| row.error.is_some());
    Ok(Output::many(&rows, &[], "No line is an event.")
        .note(&format!("Lines that concern no session: {nothing}."))
        .failed_if(has_errors))
}
