//! Headers of RFC 3164 as gateways really write them: with or without a priority, a time, a host
//! and a program, with Cisco's sequence numbers, and lines of log files.

use std::sync::LazyLock;

use regex::Regex;

use super::{Header, stamp};
use crate::{record::Record, syslog::Context};

/// Program and process ID before a text.
static TAG: LazyLock<Regex> = LazyLock::new(|| {
    let tag = r#"^([^\s:\[\]="',{}|%<>]{1,64})(?:\[([^\]\s]{1,64})\]:?\s*|:(?:\s+|$))"#;
    Regex::new(tag).expect("a constant pattern is valid")
});

/// Reads a message without its priority.
pub(super) fn read<'a>(message: &'a str, has_priority: bool, context: &Context) -> Header<'a> {
    let message = without_sequence_numbers(message, context);
    let stamp = |text: &'a str| {
        let text = text.trim_start_matches(['*', '.']);
        stamp::read(text, &context.zone, context.received_at)
    };
    let named = || {
        let (host, rest) = message.split_once(": ")?;
        is_host(host).then_some((host, stamp(rest.trim_start())?))
    };
    let (at, record) = if let Some(stamp) = stamp(message) {
        let is_text = stamp.is_log_file && !has_priority;
        let record = if is_text {
            own_log(stamp.rest)
        } else {
            after_time(stamp.rest)
        };
        (Some(stamp.at), record)
    } else if let Some((host, stamp)) = named() {
        (
            Some(stamp.at),
            Record {
                host,
                ..body(stamp.rest)
            },
        )
    } else {
        (None, body(message))
    };
    Header {
        is_recognized: has_priority || at.is_some() || is_structured(message),
        record: Record { at, ..record },
        elements: Vec::new(),
    }
}

/// Removes the sequence numbers that Cisco writes before the time.
fn without_sequence_numbers<'a>(message: &'a str, context: &Context) -> &'a str {
    let mut rest = message.trim_start();
    for _ in 0..2 {
        let digits = rest.trim_start_matches(|char: char| char.is_ascii_digit());
        match digits.strip_prefix(':') {
            Some(after) if stamp::read(rest, &context.zone, context.received_at).is_none() => {
                rest = after.trim_start();
            }
            _ => break,
        }
    }
    rest
}

/// The text of a program's own log file. OpenVPN can write microseconds after the time.
fn own_log(rest: &str) -> Record<'_> {
    let text = rest.trim_start();
    let text = text
        .strip_prefix("us=")
        .and_then(|text| text.split_once(' '))
        .map_or(text, |(_, text)| text);
    Record::of_text(text)
}

/// Host, program and text after a time.
fn after_time(rest: &str) -> Record<'_> {
    if rest.starts_with(':') {
        return body(rest);
    }
    let rest = rest.trim_start();
    let (first, after) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
    if is_host(first) {
        return Record {
            host: first,
            ..body(after)
        };
    }
    match first.strip_suffix(':') {
        Some(host) if is_host(host) && after.trim_start().starts_with('%') => Record {
            host,
            ..body(after)
        },
        _ => body(rest),
    }
}

/// Program and text.
fn body(text: &str) -> Record<'_> {
    let text = text.trim_start();
    let text = text.strip_prefix(':').map_or(text, str::trim_start);
    let Some(tag) = TAG.captures(text) else {
        return Record::of_text(text);
    };
    let part = |index| tag.get(index).map_or("-", |part| part.as_str());
    Record {
        app: part(1),
        process: part(2),
        ..Record::of_text(&text[part(0).len()..])
    }
}

fn is_host(token: &str) -> bool {
    let is_char = |char: char| char.is_alphanumeric() || "._-:/".contains(char);
    !token.is_empty() && token.chars().all(is_char) && !token.ends_with(':')
}

/// Returns true for a message that is fields alone, such as `{…}`, `date=…` or `1,2026/…`, perhaps
/// after an address.
fn is_structured(message: &str) -> bool {
    let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let is_field = |token: &str| {
        let rest = token.trim_start_matches(is_word);
        rest.len() < token.len() && rest.starts_with(['=', ','])
    };
    message.starts_with(['{', '@']) || message.split_whitespace().take(2).any(is_field)
}
