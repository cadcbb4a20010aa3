//! Result of a command, as text for people and as JSON for programs.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets::NOTHING};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use serde_json::{Map, Value};

/// Maximum width of a table, in characters. Cells of a wider table are wrapped.
const MAX_WIDTH: u16 = 120;

/// Format of printed results.
pub struct Style {
    /// Print JSON. Its times are always in UTC.
    pub json: bool,
    /// Print secrets and rows without labels, headings and notes.
    pub quiet: bool,
    /// Time zone of the times in text.
    pub zone: TimeZone,
}

/// Result of a command.
pub struct Output {
    json: Value,
    /// Columns of the table for people. Without any, all columns are shown.
    columns: &'static [&'static str],
    /// Values that `--quiet` prints alone.
    secrets: Vec<String>,
    /// Text in place of fields or a table.
    lines: Option<String>,
    /// Fields before the tables, if there are tables.
    fields: Option<Value>,
    /// Tables after the fields.
    sections: Vec<Section>,
    note: String,
    failed: bool,
}

/// A table below fields.
pub struct Section {
    /// Name of the rows in JSON.
    pub name: &'static str,
    title: &'static str,
    rows: Vec<Value>,
}

impl Section {
    pub fn new(name: &'static str, title: &'static str, rows: Vec<Value>) -> Self {
        Self { name, title, rows }
    }
}

impl Output {
    /// Creates a result with one value and a note for people.
    pub fn one(value: impl Serialize, note: &str) -> Self {
        Self {
            json: serde_json::to_value(value).unwrap_or_default(),
            columns: &[],
            secrets: Vec::new(),
            lines: None,
            fields: None,
            sections: Vec::new(),
            note: note.to_owned(),
            failed: false,
        }
    }

    /// Creates the result of a command that has printed everything itself.
    pub fn printed() -> Self {
        Self::one(Value::Null, "")
    }

    /// Creates a table with these columns, or all columns if none are given. `none` is printed if
    /// there are no rows.
    pub fn many(rows: &[impl Serialize], columns: &'static [&'static str], none: &str) -> Self {
        let text = if rows.is_empty() { none } else { "" };
        Self {
            columns,
            ..Self::one(rows, text)
        }
    }

    /// Creates a result with one JSON value per line.
    pub fn lines(values: &[Value]) -> Self {
        let lines: Vec<String> = values.iter().map(Value::to_string).collect();
        Self {
            lines: Some(lines.join("\n")),
            ..Self::one(values, "")
        }
    }

    /// Creates a result with fields and tables. In JSON, the rows of each table are a field too.
    pub fn sections(mut fields: Value, sections: Vec<Section>) -> Self {
        let text = fields.clone();
        for section in &sections {
            fields[section.name] = section.rows.clone().into();
        }
        Self {
            sections,
            fields: Some(text),
            ..Self::one(fields, "")
        }
    }

    /// Adds secrets, which `--quiet` prints alone, one per line.
    pub fn secrets(mut self, secrets: &[&str]) -> Self {
        self.secrets = secrets.iter().map(|&secret| secret.to_owned()).collect();
        self
    }

    /// Adds a line for people.
    pub fn note(mut self, line: &str) -> Self {
        if !self.note.is_empty() {
            self.note.push('\n');
        }
        self.note.push_str(line);
        self
    }

    /// Makes the exit code 1, because a part of the work failed.
    pub fn failed_if(mut self, failed: bool) -> Self {
        self.failed = failed;
        self
    }

    /// Returns true if a part of the work failed.
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// Returns the text to print.
    pub fn text(&self, style: &Style) -> String {
        if self.json.is_null() {
            return String::new();
        }
        if style.json {
            return self.json.to_string();
        }
        if let Some(lines) = &self.lines {
            return lines.clone();
        }
        let body = match self.fields.as_ref().unwrap_or(&self.json) {
            _ if style.quiet && !self.secrets.is_empty() => self.secrets.join("\n"),
            Value::Array(rows) => table(rows, self.columns, style),
            Value::Object(_) if style.quiet => String::new(),
            Value::Object(fields) => lines(fields, &style.zone),
            other => other.to_string(),
        };
        let sections = self
            .sections
            .iter()
            .filter(|section| !section.rows.is_empty());
        let sections = sections.map(|section| {
            let table = table(&section.rows, &[], style);
            if style.quiet {
                table
            } else {
                format!("\n\n{}\n\n{table}", section.title)
            }
        });
        let body = body + &sections.collect::<String>();
        if style.quiet {
            return body;
        }
        format!("{body}\n{}", self.note).trim().to_owned()
    }
}

/// Prints a line for each field, with the values in one column.
fn lines(fields: &Map<String, Value>, zone: &TimeZone) -> String {
    let width = fields.keys().map(String::len).max().unwrap_or_default();
    let line = |(name, value)| format!("{name:<width$}  {}", cell(value, zone));
    fields.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Prints a table without the columns that are empty in all rows. `--quiet` leaves the heading out.
fn table(rows: &[Value], columns: &[&str], style: &Style) -> String {
    let Some(Value::Object(first)) = rows.first() else {
        return String::new();
    };
    let columns: Vec<&str> = match columns {
        [] => first.keys().map(String::as_str).collect(),
        chosen => chosen.to_vec(),
    };
    let filled = |name: &&str| rows.iter().any(|row| !is_empty(&row[*name]));
    let columns: Vec<&str> = columns.into_iter().filter(filled).collect();
    let mut table = Table::new();
    table
        .load_preset(NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(MAX_WIDTH);
    if !style.quiet {
        table.set_header(columns.iter().map(|name| header(name)));
    }
    table.add_rows(rows.iter().map(|row| {
        let cells = columns.iter().map(|name| cell(&row[*name], &style.zone));
        cells.collect::<Vec<_>>()
    }));
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    // The first column names the row. It is never wrapped, so that a name can be searched for.
    if let Some(column) = table.column_mut(0) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    let lines = table.lines().map(|line| line.trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the header of a column: `last_event_at` becomes `last event`.
fn header(name: &str) -> String {
    name.trim_end_matches("_at").replace('_', " ")
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        _ => false,
    }
}

fn cell(value: &Value, zone: &TimeZone) -> String {
    match value {
        Value::String(text) => time(text, zone).unwrap_or_else(|| text.clone()),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::Null => "-".into(),
        Value::Array(values) => {
            let cells = values.iter().map(|value| cell(value, zone));
            cells.collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

/// Returns an RFC 3339 time with its fraction cut off: local time in the zone, or in UTC with `Z`.
fn time(text: &str, zone: &TimeZone) -> Option<String> {
    let instant: Timestamp = text.parse().ok()?;
    let format = if *zone == TimeZone::UTC {
        "%Y-%m-%d %H:%M:%SZ"
    } else {
        "%Y-%m-%d %H:%M:%S"
    };
    let local = instant.to_zoned(zone.clone());
    Some(local.strftime(format).to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn style(zone: &str) -> Style {
        Style {
            json: false,
            quiet: false,
            zone: TimeZone::get(zone).expect("a zone"),
        }
    }

    #[test]
    fn table_leaves_out_empty_columns_and_shows_times_in_the_zone() {
        let rows = [
            json!({"name": "vpn-1", "last_event_at": "2025-01-01T10:00:00.5Z", "gap": null}),
            json!({"name": "b", "last_event_at": null, "gap": null}),
        ];
        let text = Output::many(&rows, &[], "").text(&style("Asia/Kolkata"));
        assert_eq!(
            text.lines().collect::<Vec<_>>(),
            [
                "name   last event",
                "vpn-1  2025-01-01 15:30:00",
                "b      -"
            ]
        );
        let text = Output::many(&rows, &["last_event_at"], "").text(&style("UTC"));
        assert!(text.contains("2025-01-01 10:00:00Z"), "{text}");
    }

    #[test]
    fn wide_table_fits_the_maximum_width() {
        let long = "x".repeat(90);
        let rows = [json!({"a": long, "b": long})];
        let text = Output::many(&rows, &[], "").text(&style("UTC"));
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest.is_some_and(|width| width <= 120), "{text}");
    }

    #[test]
    fn wide_table_does_not_wrap_its_first_column() {
        let name = format!("gateway-{}", "0123-".repeat(12));
        let rows = [json!({"name": name, "a": "x y ".repeat(20), "b": "x y ".repeat(20)})];
        let text = Output::many(&rows, &[], "").text(&style("UTC"));
        assert!(text.contains(&name), "{text}");
    }

    #[test]
    fn value_is_separated_from_a_long_name() {
        let text = Output::one(json!({"radius_secret": "abc"}), "").text(&style("UTC"));
        assert_eq!(text, "radius_secret  abc");
    }

    #[test]
    fn quiet_prints_secrets_and_rows_alone() {
        let quiet = Style {
            quiet: true,
            ..style("UTC")
        };
        let output = Output::one(json!({"name": "a", "key": "k"}), "Shown once.").secrets(&["k"]);
        assert_eq!(output.text(&quiet), "k");
        let rows = [json!({"name": "vpn-1", "events": 2})];
        assert_eq!(Output::many(&rows, &[], "").text(&quiet), "vpn-1  2");
    }
}
