//! Query parameters, parsed once. All errors of a request are reported together.

mod typed;

use actix_web::HttpRequest;
use percent_encoding::percent_decode_str;
use rollcall_platform::envelope::Problem;
use rollcall_wire::{FieldError, quote::quoted};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

pub use self::typed::{Limit, PageParameters, parse_name};
use super::cursor::QueryDigest;

/// The query parameters of a request. Each method takes parameters by their name.
#[derive(Debug)]
pub struct Parameters {
    path: String,
    all: Vec<(String, String)>,
    taken: Vec<&'static str>,
    errors: Vec<FieldError>,
}

impl Parameters {
    /// Reads the query string of a request.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        Self::new(request.path(), request.query_string())
    }

    /// Reads a query string of a request to `path`.
    #[must_use]
    pub fn new(path: &str, query: &str) -> Self {
        let mut parameters = Self {
            path: path.to_owned(),
            all: Vec::new(),
            taken: Vec::new(),
            errors: Vec::new(),
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = decode(name);
            match (decoded, decode(value)) {
                (Some(name), Some(value)) => parameters.all.push((name, value)),
                (decoded, _) => {
                    let name = decoded.unwrap_or_else(|| name.to_owned());
                    parameters.fail(name, "must be percent-encoded UTF-8".to_owned());
                }
            }
        }
        parameters
    }

    /// Adds an error. `message` is the rest of the sentence that begins with the name of the
    /// parameter.
    pub fn fail(&mut self, name: impl Into<String>, message: String) {
        self.errors.push(FieldError::new(name.into(), message));
    }

    /// Returns true if the request has the parameter.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.all.iter().any(|(given, _)| given == name)
    }

    /// Takes all values of a parameter that may be repeated. `accepted` ends a sentence that begins
    /// with the name of the parameter and "must be".
    pub fn many<T>(
        &mut self,
        name: &'static str,
        accepted: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        self.taken.push(name);
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        for (_, text) in self.all.iter().filter(|(given, _)| given == name) {
            match parse(text) {
                Some(value) => values.push(value),
                None => errors.push(format!("must be {accepted} (got {})", quoted(text))),
            }
        }
        for message in errors {
            self.fail(name, message);
        }
        values
    }

    /// Takes a parameter that may occur once.
    pub fn one<T>(
        &mut self,
        name: &'static str,
        accepted: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        if self.all.iter().filter(|(given, _)| given == name).count() > 1 {
            self.taken.push(name);
            self.fail(name, "must occur only once".to_owned());
            return None;
        }
        self.many(name, accepted, parse).pop()
    }

    /// Takes a parameter that must occur once.
    pub fn required<T>(
        &mut self,
        name: &'static str,
        accepted: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        if !self.has(name) {
            self.errors.push(FieldError::missing(name, accepted));
        }
        self.one(name, accepted, parse)
    }

    /// Returns the parameters for the audit log.
    #[must_use]
    pub fn detail(&self) -> Value {
        let mut detail = Map::new();
        for (name, text) in &self.all {
            match detail.get_mut(name) {
                None => drop(detail.insert(name.clone(), json!(text))),
                Some(Value::Array(values)) => values.push(json!(text)),
                Some(value) => *value = json!([value.take(), text]),
            }
        }
        Value::Object(detail)
    }

    /// Checks that each parameter was taken and is valid.
    ///
    /// # Errors
    /// 400 that lists all errors.
    pub fn finish(&mut self) -> Result<(), Problem> {
        let mut errors = std::mem::take(&mut self.errors);
        let mut unknown: Vec<&String> = self.all.iter().map(|(name, _)| name).collect();
        unknown.retain(|name| !self.taken.contains(&name.as_str()));
        unknown.dedup();
        errors.extend(unknown.into_iter().enumerate().map(|(index, name)| {
            let unknown = "is not a parameter of this address";
            // Only once, so that the response cannot be much larger than its request.
            let message = match index {
                0 => format!("{unknown}; it takes {}", self.taken.join(", ")),
                _ => unknown.to_owned(),
            };
            FieldError::new(name.clone(), message)
        }));
        if errors.is_empty() {
            return Ok(());
        }
        Err(Problem::invalid_fields(errors))
    }

    /// Identifies the endpoint and all parameters but `cursor` and `limit`, in any order.
    fn digest(&self) -> QueryDigest {
        let mut pairs: Vec<_> = self.all.iter().collect();
        pairs.retain(|(name, _)| !["cursor", "limit"].contains(&name.as_str()));
        pairs.sort();
        let digest = Sha256::digest(json!([self.path, pairs]).to_string());
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&digest[..8]);
        QueryDigest(bytes)
    }
}

/// Decodes a name or value of a query string.
fn decode(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    let decoded = percent_decode_str(&text).decode_utf8().ok()?;
    Some(decoded.into_owned())
}
