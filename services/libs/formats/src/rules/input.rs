//! Inputs: how the fields of a record are read.

use std::{borrow::Cow, rc::Rc};

use regex::{Captures, Regex};
use serde_json::Value;

use super::{
    cells::cells,
    condition::regex,
    file::{BadKey, Entry, InputName},
    json_path::text_at,
    key_value::pairs,
};

/// Method by which a rule reads the fields of a record.
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
    /// Creates the input of a rule, and checks that the rule has no keys of other inputs.
    pub(super) fn new(entry: &Entry) -> Result<Self, BadKey> {
        let only = |is_given: bool, key, inputs: &str| {
            let reason = format!("must be given only with input {inputs}");
            if is_given {
                Err(BadKey::new(key, reason))
            } else {
                Ok(())
            }
        };
        only(
            entry.input != InputName::Csv && !entry.columns.is_empty(),
            "columns",
            "csv",
        )?;
        only(
            entry.input != InputName::Csv && entry.separator.is_some(),
            "separator",
            "csv",
        )?;
        let form = match entry.input {
            InputName::Text => {
                only(entry.prefix.is_some(), "prefix", "key_value, csv or json")?;
                let pattern = entry.pattern.as_deref().unwrap_or_default();
                if pattern.is_empty() {
                    return Err(BadKey::new("pattern", "is missing; input text needs it"));
                }
                return Ok(Input::Text(regex("pattern", pattern)?));
            }
            InputName::KeyValue => Form::KeyValue,
            InputName::Csv => Form::Csv(entry.separator.unwrap_or(',')),
            InputName::Json => Form::Json,
        };
        only(entry.pattern.is_some(), "pattern", "text")?;
        let prefix = entry.prefix.as_deref();
        let prefix = prefix.map(|prefix| regex("prefix", &format!("^(?:{prefix})")));
        Ok(Input::Body {
            prefix: prefix.transpose()?,
            form,
            columns: entry.columns.clone(),
        })
    }

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
    pub(super) fn get(&self, name: &str) -> Option<Cow<'_, str>> {
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

#[cfg(test)]
mod tests {
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
}
