//! Reasons why a row of a mapping file is rejected, in the language of the page.

use rollcall_attendance::{
    employee::{Fault, Mapping},
    text::TextError,
};
use rollcall_formats::csv::{Reason, RowError};
use rollcall_wire::quote::quoted;

use crate::messages::Language;

/// Writes a reason.
pub(super) fn reason(reason: &Reason, language: Language) -> String {
    match reason {
        Reason::Row(error) => row(*error, language),
        Reason::Value(fault) => value(fault, language),
        Reason::Overlap { line, other } => overlap(*line, other, language),
    }
}

fn row(error: RowError, language: Language) -> String {
    match error {
        RowError::TooManyCells { cells, columns } => language.with(
            "reason.too_many_cells",
            &[
                ("cells", &cells.to_string()),
                ("columns", &columns.to_string()),
            ],
        ),
        RowError::NotUtf8 => language.text("reason.not_utf_8").to_owned(),
    }
}

fn value(fault: &Fault, language: Language) -> String {
    match fault {
        Fault::Missing { max_bytes } => {
            language.with("reason.missing", &[("max", &max_bytes.to_string())])
        }
        Fault::Text(TextError::TooLong { bytes, max_bytes }) => language.with(
            "reason.too_long",
            &[
                ("bytes", &bytes.to_string()),
                ("max", &max_bytes.to_string()),
            ],
        ),
        Fault::Text(TextError::ControlCharacter) => {
            language.text("reason.control_character").to_owned()
        }
        Fault::UnknownCalendar { name, accepted } => language.with(
            "reason.calendar",
            &[("got", &quoted(name)), ("accepted", accepted)],
        ),
        Fault::NoDate(text) => language.with("reason.date", &[("got", &quoted(text))]),
        Fault::EndBeforeStart { from, to } => language.with(
            "reason.end_before_start",
            &[("from", &from.to_string()), ("to", &to.to_string())],
        ),
    }
}

fn overlap(line: Option<u64>, other: &Mapping, language: Language) -> String {
    let key = match line {
        Some(_) => "reason.overlaps_line",
        None => "reason.overlaps_stored",
    };
    let line = line.unwrap_or_default().to_string();
    let days = days(other, language);
    let employee = other.employee_id.as_str();
    language.with(
        key,
        &[("line", &line), ("employee", employee), ("days", &days)],
    )
}

/// Writes the days of a mapping within a sentence.
fn days(mapping: &Mapping, language: Language) -> String {
    let key = match (mapping.valid_from, mapping.valid_to) {
        (None, None) => "reason.all_days",
        (Some(_), None) => "reason.from",
        (None, Some(_)) => "reason.until",
        (Some(_), Some(_)) => "reason.from_to",
    };
    let [from, to] = [mapping.valid_from, mapping.valid_to]
        .map(|day| day.map_or_else(String::new, |day| day.to_string()));
    language.with(key, &[("from", &from), ("to", &to)])
}
