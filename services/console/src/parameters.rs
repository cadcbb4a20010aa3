//! Query parameters of a page, parsed once. All errors of an address are shown together.

use std::ops::RangeInclusive;

use jiff::civil::Date;
use percent_encoding::percent_decode_str;
use rollcall_attendance::{event::TEXT_BYTES, period::parse_date};
use rollcall_wire::quote::{cut, quoted};

use crate::messages::Language;

/// Years that pages show. Times of the days around them can still be represented.
pub const YEARS: RangeInclusive<i16> = 1..=9998;

/// The query parameters of a request. Each method takes parameters by their name. A parameter
/// without a value counts as absent, because a form sends its empty fields.
#[derive(Debug, Default)]
pub struct Parameters {
    all: Vec<(String, String)>,
    taken: Vec<&'static str>,
    errors: Vec<Invalid>,
}

/// The error of one parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// Name of the parameter.
    pub name: String,
    /// The value, quoted and cut to a length that a sentence can hold.
    pub got: String,
    /// Key of the message that says what is accepted.
    pub expected: &'static str,
}

impl Invalid {
    /// Creates an error. `expected` is the key of the message that says what is accepted.
    #[must_use]
    pub fn new(name: &str, value: &str, expected: &'static str) -> Self {
        Self {
            name: cut(name).to_owned(),
            got: quoted(value),
            expected,
        }
    }

    /// Returns the error as a sentence.
    #[must_use]
    pub fn sentence(&self, language: Language) -> String {
        language.with(self.expected, &[("name", &self.name), ("got", &self.got)])
    }
}

impl Parameters {
    /// Reads a query string.
    #[must_use]
    pub fn new(query: &str) -> Self {
        let mut parameters = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (decode(name), decode(value)) {
                (Some(_), Some(value)) if value.trim().is_empty() => {}
                (Some(name), Some(value)) => parameters.all.push((name, value)),
                (name, _) => {
                    let name = name.unwrap_or_else(|| pair.to_owned());
                    parameters.fail(&name, value, "invalid.encoding");
                }
            }
        }
        parameters
    }

    /// Takes a parameter that may occur once. `expected` is the key of the message for a value that
    /// `parse` does not accept.
    pub fn one<T>(
        &mut self,
        name: &'static str,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        self.taken.push(name);
        let mut values = self.all.iter().filter(|(given, _)| given == name);
        let value = values.next()?.1.clone();
        if values.next().is_some() {
            self.fail(name, &value, "invalid.repeated");
            return None;
        }
        let parsed = parse(&value);
        if parsed.is_none() {
            self.fail(name, &value, expected);
        }
        parsed
    }

    /// Takes one of several words.
    pub fn choice<T: Copy>(&mut self, name: &'static str, choices: &[(&str, T)]) -> Option<T> {
        self.one(name, "invalid.choice", |word| {
            let choice = choices.iter().find(|(known, _)| *known == word);
            choice.map(|(_, value)| *value)
        })
    }

    /// Takes a check box.
    pub fn flag(&mut self, name: &'static str) -> bool {
        self.choice(name, &[("on", true)]).unwrap_or_default()
    }

    /// Takes a calendar date that a page can show: the end of its month must be representable.
    pub fn date(&mut self, name: &'static str) -> Option<Date> {
        self.one(name, "invalid.date", |text| {
            parse_date(text).filter(|date| YEARS.contains(&date.year()))
        })
    }

    /// Takes a name of a user, a realm, a source or another text.
    pub fn name(&mut self, name: &'static str) -> Option<String> {
        self.one(name, "invalid.name", |text| {
            let is_valid = text.len() <= TEXT_BYTES && !text.chars().any(char::is_control);
            is_valid.then(|| text.to_owned())
        })
    }

    /// Adds the error of a parameter that is missing or does not fit to another one.
    pub fn fail(&mut self, name: &str, value: &str, expected: &'static str) {
        self.errors.push(Invalid::new(name, value, expected));
    }

    /// Checks that each parameter was taken and is valid.
    ///
    /// # Errors
    /// Lists all errors.
    pub fn finish(mut self) -> Result<(), Vec<Invalid>> {
        for (name, value) in std::mem::take(&mut self.all) {
            if !self.taken.contains(&name.as_str()) {
                self.fail(&name, &value, "invalid.unknown");
            }
        }
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(self.errors)
        }
    }
}

/// Decodes a name or value of a query string.
fn decode(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    let decoded = percent_decode_str(&text).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(parameters: Parameters) -> Vec<(String, &'static str)> {
        let errors = parameters.finish().err().unwrap_or_default();
        errors
            .into_iter()
            .map(|error| (error.name, error.expected))
            .collect()
    }

    #[test]
    fn values_are_decoded_and_empty_ones_are_absent() {
        let mut parameters = Parameters::new("user=zo%C3%AB+x&realm=&absent=on&date=2025-01-02");
        assert_eq!(parameters.name("user").as_deref(), Some("zoë x"));
        assert_eq!(parameters.name("realm"), None);
        assert!(parameters.flag("absent"));
        assert_eq!(parameters.date("date"), Some(jiff::civil::date(2025, 1, 2)));
        assert_eq!(errors(parameters), []);
    }

    #[test]
    fn all_errors_are_reported_together() {
        let mut parameters = Parameters::new("date=2025-02-30&user=%FF&realm=a&realm=b&x=<b>&on=1");
        let _ = (
            parameters.date("date"),
            parameters.name("realm"),
            parameters.flag("on"),
        );
        assert_eq!(
            errors(parameters),
            [
                ("user".to_owned(), "invalid.encoding"),
                ("date".to_owned(), "invalid.date"),
                ("realm".to_owned(), "invalid.repeated"),
                ("on".to_owned(), "invalid.choice"),
                ("x".to_owned(), "invalid.unknown"),
            ]
        );
    }

    #[test]
    fn names_without_limits_are_refused() {
        let long = format!("user={}", "x".repeat(TEXT_BYTES + 1));
        for query in [long.as_str(), "user=a%00b", "user=a%0Ab"] {
            let mut parameters = Parameters::new(query);
            assert_eq!(parameters.name("user"), None);
            assert_eq!(errors(parameters), [("user".to_owned(), "invalid.name")]);
        }
    }
}
