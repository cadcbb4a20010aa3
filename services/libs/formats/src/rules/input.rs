//! Inputs: how the fields of a record are read.

use std::{borrow::Cow, rc::Rc};

use regex::{Captures, Regex};
use serde_json::Value;

use super::{file::Aliases, key_value::pairs};
use crate::record::Record;

/// How a rule reads the fields of a record.
#[derive(Debug, Clone)]
pub(super) enum Input {
    /// The named captures of a pattern.
    Text(Regex),
    /// The fields of a body after an optional prefix.
    Body {
        prefix: Option<Regex>,
        form: Form,
        /// Names of the columns of CSV by position.
        columns: Vec<String>,
    },
}

/// Form of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    KeyValue,
    /// Cells that this character separates.
    Csv(char),
    Json,
}

/// The bodies of a record that were parsed, so that rules with the same input parse it once.
pub(super) struct Bodies<'t> {
    text: &'t str,
    parsed: Vec<(Form, usize, Option<Rc<Body<'t>>>)>,
}

enum Body<'t> {
    Pairs(Vec<(&'t str, Cow<'t, str>)>),
    Cells(Vec<Cow<'t, str>>),
    Json(Value),
}

/// The fields of a record.
pub(super) struct Fields<'t, 'r>(Kind<'t, 'r>);

enum Kind<'t, 'r> {
    Captures(Captures<'t>),
    Body(Rc<Body<'t>>, &'r [String]),
}

impl Input {
    /// Returns the fields, or `None` if the record does not have the form of the input.
    pub(super) fn read<'t>(&self, bodies: &mut Bodies<'t>) -> Option<Fields<'t, '_>> {
        match self {
            Self::Text(pattern) => Some(Fields(Kind::Captures(pattern.captures(bodies.text)?))),
            Self::Body {
                prefix,
                form,
                columns,
            } => {
                let start = match prefix {
                    Some(prefix) => prefix.find(bodies.text)?.end(),
                    None => 0,
                };
                Some(Fields(Kind::Body(bodies.parse(*form, start)?, columns)))
            }
        }
    }
}

impl<'t> Bodies<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            parsed: Vec::new(),
        }
    }

    fn parse(&mut self, form: Form, start: usize) -> Option<Rc<Body<'t>>> {
        let mut parsed = self.parsed.iter();
        if let Some((.., body)) = parsed.find(|parsed| (parsed.0, parsed.1) == (form, start)) {
            return body.clone();
        }
        let body = form.parse(&self.text[start..]).map(Rc::new);
        self.parsed.push((form, start, body.clone()));
        body
    }
}

impl Form {
    fn parse(self, text: &str) -> Option<Body<'_>> {
        match self {
            Self::KeyValue => {
                let pairs = pairs(text);
                (!pairs.is_empty()).then_some(Body::Pairs(pairs))
            }
            Self::Csv(separator) => {
                let cells = cells(text, separator);
                (cells.len() > 1).then_some(Body::Cells(cells))
            }
            Self::Json => {
                let text = text.trim_start();
                // The mark of the Common Event Expression precedes JSON in syslog.
                let text = text.strip_prefix("@cee:").map_or(text, str::trim_start);
                if !text.starts_with('{') {
                    return None;
                }
                serde_json::from_str(text).ok().map(Body::Json)
            }
        }
    }
}

impl Fields<'_, '_> {
    /// Returns the value of a field, or `None` if the record does not have it.
    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        match &self.0 {
            Kind::Captures(captures) => Some(captures.name(name)?.as_str().into()),
            Kind::Body(body, columns) => match &**body {
                Body::Pairs(pairs) => {
                    let (_, value) = pairs.iter().find(|(key, _)| *key == name)?;
                    Some(value.as_ref().into())
                }
                Body::Cells(cells) => {
                    let position = columns.iter().position(|column| column == name)?;
                    Some(cells.get(position)?.as_ref().into())
                }
                Body::Json(value) => text_at(value, name),
            },
        }
    }
}

/// Returns the cells of a row. A cell in double quotes may contain the separator and `""`.
fn cells(text: &str, separator: char) -> Vec<Cow<'_, str>> {
    let mut cells = Vec::new();
    let mut rest = text;
    loop {
        let (cell, after) = cell(rest, separator);
        cells.push(cell);
        match after {
            Some(after) => rest = after,
            None => return cells,
        }
    }
}

fn cell(text: &str, separator: char) -> (Cow<'_, str>, Option<&str>) {
    let quoted = text
        .trim_start_matches(' ')
        .strip_prefix('"')
        .and_then(|quoted| {
            let mut quotes = quoted.match_indices('"').map(|(position, _)| position);
            let end = loop {
                let position = quotes.next()?;
                if !quoted[position + 1..].starts_with('"') {
                    break position;
                }
                quotes.next();
            };
            Some((quoted[..end].replace("\"\"", "\""), &quoted[end + 1..]))
        });
    match quoted {
        Some((cell, rest)) => (
            cell.into(),
            rest.split_once(separator).map(|(_, after)| after),
        ),
        None => match text.split_once(separator) {
            Some((cell, after)) => (cell.into(), Some(after)),
            None => (text.into(), None),
        },
    }
}

/// Returns the text at a dotted path, such as `actor.email` or `items.0.ip`. A key may itself
/// contain dots.
fn text_at<'a>(value: &'a Value, path: &str) -> Option<Cow<'a, str>> {
    let child = |name: &str| match value {
        Value::Object(fields) => fields.get(name),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => None,
    };
    if let Some(value) = child(path) {
        return match value {
            Value::String(text) => Some(text.into()),
            Value::Number(_) | Value::Bool(_) => Some(value.to_string().into()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        };
    }
    path.match_indices('.')
        .find_map(|(dot, _)| text_at(child(&path[..dot])?, &path[dot + 1..]))
}

/// Values for placeholders and tests: the fields of a record, and its host, program and process.
pub(super) struct Values<'a> {
    pub(super) record: &'a Record<'a>,
    pub(super) fields: &'a Fields<'a, 'a>,
    pub(super) aliases: &'a Aliases,
}

/// Names of the values that every record has.
pub(super) const OF_EVERY_RECORD: [&str; 3] = ["host", "app", "process"];

impl Values<'_> {
    /// Returns a value. A value that is absent is empty.
    pub(super) fn get(&self, name: &str) -> Cow<'_, str> {
        let own = self.fields.get(name);
        own.or_else(|| self.of_alias(name)).unwrap_or_else(|| {
            let value = match name {
                "host" => self.record.host,
                "app" => self.record.app,
                "process" => self.record.process,
                _ => "",
            };
            value.into()
        })
    }

    fn of_alias(&self, name: &str) -> Option<Cow<'_, str>> {
        let fields = self.aliases.get(name)?.iter();
        let mut values = fields.filter_map(|field| self.fields.get(field));
        values.find(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(form: Form, columns: &[&str], text: &str, name: &str) -> Option<String> {
        let columns = columns.iter().map(ToString::to_string).collect();
        let input = Input::Body {
            prefix: None,
            form,
            columns,
        };
        let fields = input.read(&mut Bodies::new(text))?;
        fields.get(name).map(Cow::into_owned)
    }

    #[test]
    fn csv_columns_are_read_by_position() {
        let text = r#"1,"a ""b"", c", "x" ,,last"#;
        for (position, expected) in [(0, "1"), (1, r#"a "b", c"#), (2, "x"), (3, ""), (4, "last")] {
            let mut columns = [""; 5];
            columns[position] = "field";
            let value = read(Form::Csv(','), &columns, text, "field");
            assert_eq!(value.as_deref(), Some(expected));
        }
        assert_eq!(read(Form::Csv(','), &["", "", "x"], "1,2", "x"), None);
        assert_eq!(
            read(Form::Csv(','), &["", "x"], r#"1,"open"#, "x").as_deref(),
            Some("\"open")
        );
        assert_eq!(read(Form::Csv(';'), &["x"], "no row", "x"), None);
    }

    #[test]
    fn json_paths_are_read() {
        let text = r#"@cee: {"a":{"b":[{"c":"x"}],"n":5,"t":true,"z":null},"d.e":{"f.g":"y"}}"#;
        for (path, expected) in [
            ("a.b.0.c", Some("x")),
            ("a.n", Some("5")),
            ("a.t", Some("true")),
            ("a.z", None),
            ("d.e.f.g", Some("y")),
            ("a.b", None),
            ("a.b.1.c", None),
            ("", None),
        ] {
            assert_eq!(
                read(Form::Json, &[], text, path).as_deref(),
                expected,
                "{path}"
            );
        }
        assert_eq!(read(Form::Json, &[], "[1]", "0"), None);
    }

    #[test]
    fn prefix_is_removed_before_a_body() {
        let prefix = Some(Regex::new("^audit: ").expect("a pattern"));
        let input = Input::Body {
            prefix,
            form: Form::KeyValue,
            columns: Vec::new(),
        };
        let mut bodies = Bodies::new("audit: a=1");
        let fields = input.read(&mut bodies).expect("fields");
        assert_eq!(fields.get("a").as_deref(), Some("1"));
        assert!(input.read(&mut Bodies::new("a=1")).is_none());
    }

    proptest! {
        #[test]
        fn cells_of_any_text_are_separated(text in "([a-z\", ]|\\PC){0,40}") {
            let count = cells(&text, ',').len();
            prop_assert!((1..=text.matches(',').count() + 1).contains(&count));
        }

        #[test]
        fn cells_of_a_written_row_are_the_same(row in prop::collection::vec("[a-z,\" ]{0,9}", 1..6)) {
            let quoted = row.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
            let text = quoted.collect::<Vec<_>>().join(",");
            prop_assert_eq!(cells(&text, ','), row);
        }
    }
}
