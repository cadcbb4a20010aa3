//! Texts with placeholders.

use super::values::Values;

/// A text with placeholders, such as `openvpn/{user}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(String),
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// A brace has no counterpart, or a placeholder is empty.
    pub(super) fn parse(mut text: &str) -> Result<Self, String> {
        let whole = text;
        let bad = |what: &str| {
            format!("must have placeholders in the form {{name}} ({what} in {whole:?})")
        };
        let mut parts = Vec::new();
        while let Some((before, after)) = text.split_once('{') {
            let (name, rest) = after
                .split_once('}')
                .ok_or_else(|| bad("a brace is open"))?;
            if name.is_empty() || name.contains('{') {
                return Err(bad("a name is missing"));
            }
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Field(name.to_owned()));
            text = rest;
        }
        parts.push(Part::Text(text.to_owned()));
        Ok(Self(parts))
    }

    /// Creates the template `{name}`.
    pub(super) fn field(name: &str) -> Self {
        Self(vec![Part::Field(name.to_owned())])
    }

    /// Returns the names of the placeholders.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Field(name) => Some(name.as_str()),
        })
    }

    /// Fills in the values. Returns `None` if all values are empty or the text is empty.
    pub(super) fn fill(&self, values: &Values) -> Option<String> {
        let mut text = String::new();
        let mut is_empty = self.names().next().is_some();
        for part in &self.0 {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Field(name) => {
                    let value = values.get(name);
                    is_empty &= value.trim().is_empty();
                    text.push_str(value.trim());
                }
            }
        }
        (!is_empty && !text.is_empty()).then_some(text)
    }
}
