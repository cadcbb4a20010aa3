//! Conditions on the fields of a record.

use regex::Regex;

use super::{file::BadKey, template::Template, values::Values};

/// A value that must match a pattern as a whole.
#[derive(Debug, Clone)]
pub(super) struct Condition(Template, Regex);

impl Condition {
    /// Creates the conditions of a table. A name that contains `{` is a template.
    pub(super) fn all<'a>(
        key: &'static str,
        entries: impl IntoIterator<Item = (&'a String, &'a String)>,
    ) -> Result<Vec<Self>, BadKey> {
        let condition = |(name, pattern): (&String, &String)| {
            let value = if name.contains('{') {
                Template::parse(name).map_err(|reason| BadKey::new(key, reason))?
            } else {
                Template::field(name)
            };
            Ok(Self(value, whole(key, pattern)?))
        };
        entries.into_iter().map(condition).collect()
    }

    pub(super) fn template(&self) -> &Template {
        &self.0
    }

    pub(super) fn is_met(&self, values: &Values) -> bool {
        self.1.is_match(&self.0.fill(values).unwrap_or_default())
    }
}

/// Compiles a pattern that must match a whole text.
pub(super) fn whole(key: &'static str, pattern: &str) -> Result<Regex, BadKey> {
    regex(key, &format!("^(?:{pattern})$"))
}

pub(super) fn regex(key: &'static str, pattern: &str) -> Result<Regex, BadKey> {
    Regex::new(pattern).map_err(|error| BadKey::new(key, error))
}
