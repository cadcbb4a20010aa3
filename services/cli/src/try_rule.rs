//! `rollcall source try-rule`: what the rules make of a log file.

use std::io::BufRead;

use rollcall_formats::syslog::{Found, Logins, Rules, parse_line};
use rollcall_platform::command::Failure;
use serde::Serialize;

use crate::output::Output;

/// A line that a rule understands, or that cannot be read.
#[derive(Default, Serialize)]
struct Row {
    line: usize,
    rule: String,
    r#type: Option<String>,
    occurred_at: Option<String>,
    user: Option<String>,
    session_id: Option<String>,
    address: Option<String>,
    reason: Option<String>,
}

pub fn run(rules: &Rules, data_id: &str, input: impl BufRead) -> Result<Output, Failure> {
    let mut rows = Vec::new();
    let mut nothing = 0;
    let mut logins = Logins::default();
    for (index, line) in input.split(b'\n').enumerate() {
        let line = String::from_utf8_lossy(&line?).trim_end().to_owned();
        let (rule, raw) = match parse_line(&line, data_id, rules) {
            Ok(Found::Stated(raw)) => ("structured data".to_owned(), raw),
            Ok(Found::Matched(matched)) => {
                let rule = matched.rule.clone();
                let resolved = logins.resolve(matched);
                (
                    rule,
                    resolved.unwrap_or_else(|matched| matched.session(None)),
                )
            }
            Ok(Found::Nothing) => {
                nothing += 1;
                continue;
            }
            Err(refusal) => {
                rows.push(Row {
                    line: index + 1,
                    rule: format!("cannot be read: {refusal}"),
                    ..Row::default()
                });
                continue;
            }
        };
        rows.push(Row {
            line: index + 1,
            rule,
            r#type: raw.kind,
            occurred_at: raw.occurred_at,
            user: raw.user,
            session_id: raw.session_id,
            address: raw.wan_ip.or(raw.client_ip),
            reason: raw.reason,
        });
    }
    Ok(Output::many(&rows, "No line is an event.")
        .note(&format!("{nothing} other lines concern no session")))
}
