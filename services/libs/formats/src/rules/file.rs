//! Files of rules in TOML.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
    sync::Arc,
};

use rollcall_attendance::user_form::UserForm;
use serde::Deserialize;
use toml::Spanned;

use super::rule::Rule;

/// Error in a rule file. The text names the file, the line, the rule and the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}line {line}: {reason}")]
pub struct BadRules {
    file: String,
    line: usize,
    reason: String,
}

impl BadRules {
    /// Adds the name of the file.
    #[must_use]
    pub fn in_file(self, path: &Path) -> Self {
        let file = format!("{}: ", path.display());
        Self { file, ..self }
    }
}

/// Error of one key of a rule.
pub(super) struct BadKey(&'static str, String);

impl BadKey {
    pub(super) fn new(key: &'static str, reason: impl fmt::Display) -> Self {
        Self(key, reason.to_string())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    aliases: Aliases,
    #[serde(default)]
    rule: Vec<Spanned<Entry>>,
}

/// Names for fields that have other names in other versions of a gateway. The value of an alias is
/// that of the first of its fields that is not empty.
pub(super) type Aliases = BTreeMap<String, Vec<String>>;

/// A rule as in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) app: Option<String>,
    #[serde(default)]
    pub(super) input: InputName,
    pub(super) prefix: Option<String>,
    pub(super) pattern: Option<String>,
    #[serde(default)]
    pub(super) columns: Vec<String>,
    pub(super) separator: Option<char>,
    #[serde(default)]
    pub(super) when: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) unless: BTreeMap<String, String>,
    pub(super) r#type: TypeName,
    pub(super) correlation_key: Option<String>,
    #[serde(default)]
    pub(super) user_forms: Vec<UserForm>,
    pub(super) time: Option<Times>,
    pub(super) start: Option<Times>,
    pub(super) duration: Option<DurationEntry>,
    #[serde(default)]
    pub(super) event: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum InputName {
    #[default]
    Text,
    KeyValue,
    Csv,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TypeName {
    Login,
    Active,
    Logout,
    Restart,
    Session,
    Ignore,
}

/// Places of a time. The first of several that has a time is taken.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a time must be a table of value, format and zone, or an array of such tables"
)]
pub(super) enum Times {
    One(TimeEntry),
    Several(Vec<TimeEntry>),
}

impl Times {
    pub(super) fn entries(&self) -> &[TimeEntry] {
        match self {
            Self::One(entry) => std::slice::from_ref(entry),
            Self::Several(entries) => entries,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TimeEntry {
    #[serde(default)]
    pub(super) value: String,
    pub(super) format: String,
    pub(super) zone: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DurationEntry {
    pub(super) value: String,
    #[serde(default)]
    pub(super) unit: super::duration::Unit,
}

/// Parses a file of rules.
pub(super) fn parse(text: &str) -> Result<Vec<Rule>, BadRules> {
    let file: File = toml::from_str(text).map_err(|error| {
        let position = error.span().map_or(0, |span| span.start);
        bad(line_of(text, position), error.message().trim())
    })?;
    let aliases = Arc::new(file.aliases);
    let mut names = BTreeSet::new();
    let mut rules = Vec::new();
    for entry in file.rule {
        let start = entry.span().start;
        let entry = entry.into_inner();
        let name = entry.name.clone();
        let rule = if names.insert(name.clone()) {
            Rule::new(entry, &aliases)
        } else {
            Err(BadKey::new("name", "must be unique within the file"))
        };
        rules.push(rule.map_err(|BadKey(key, reason)| {
            let reason = format!("rule {name:?}: {key}: {reason}");
            bad(line_of(text, position_of(text, start, key)), &reason)
        })?);
    }
    Ok(rules)
}

fn bad(line: usize, reason: &str) -> BadRules {
    let reason = reason
        .split('\n')
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ");
    BadRules {
        file: String::new(),
        line,
        reason,
    }
}

/// Returns the number of the line that contains a position.
fn line_of(text: &str, position: usize) -> usize {
    let before = text.as_bytes().iter().take(position);
    before.filter(|byte| **byte == b'\n').count() + 1
}

/// Returns the position of a key in the rule that begins at `start`, or `start` if the rule does
/// not contain the key.
fn position_of(text: &str, start: usize, key: &str) -> usize {
    let mut position = start;
    for line in text[start..].split_inclusive('\n') {
        let content = line.trim_start();
        if position > start && content.starts_with("[[") {
            break;
        }
        let value = content.strip_prefix(['[', '"']).unwrap_or(content);
        let value = value
            .strip_prefix("rule.")
            .unwrap_or(value)
            .strip_prefix(key);
        if value.is_some_and(|value| value.trim_start().starts_with(['=', ']', '.', '"'])) {
            return position;
        }
        position += line.len();
    }
    start
}
