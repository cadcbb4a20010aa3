//! What a task says, as text for people or as JSON for programs.

use serde::Serialize;
use serde_json::Value;

/// Text and the same as JSON.
pub struct Output {
    text: String,
    json: Value,
}

impl Output {
    /// One thing: a line for each field, and a note for people.
    pub fn one(value: impl Serialize, note: &str) -> Self {
        let json = serde_json::to_value(value).unwrap_or_default();
        let mut lines: Vec<String> = json
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| format!("{name:<12}{}", plain(value)))
            .collect();
        lines.push(note.to_owned());
        Self {
            text: lines.join("\n"),
            json,
        }
    }

    /// A table.
    pub fn many(rows: &[impl Serialize], none: &str) -> Self {
        let json = serde_json::to_value(rows).unwrap_or_default();
        let text = json
            .as_array()
            .filter(|rows| !rows.is_empty())
            .map_or_else(|| none.to_owned(), |rows| table(rows));
        Self { text, json }
    }

    /// The same, with a line for people after it.
    pub fn note(mut self, line: &str) -> Self {
        self.text = format!("{}\n{line}", self.text);
        self
    }

    /// A JSON value a line, for people and programs alike.
    pub fn lines(values: &[Value]) -> Self {
        let lines: Vec<String> = values.iter().map(Value::to_string).collect();
        Self {
            text: lines.join("\n"),
            json: Value::Array(values.to_vec()),
        }
    }

    /// As it is to be printed.
    pub fn shown(&self, json: bool) -> String {
        if json {
            self.json.to_string()
        } else {
            self.text.trim_end().to_owned()
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".into(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

fn table(rows: &[Value]) -> String {
    let names: Vec<&String> = rows[0]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name)
        .collect();
    let mut table = comfy_table::Table::new();
    table
        .load_preset(comfy_table::presets::NOTHING)
        .set_header(&names);
    table.add_rows(rows.iter().map(|row| {
        names
            .iter()
            .map(|name| plain(&row[*name]))
            .collect::<Vec<_>>()
    }));
    table.to_string()
}
