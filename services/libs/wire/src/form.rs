//! Parses forms so that an error names the invalid parameter.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use crate::{FieldError, json};

/// Parses the body of a form (`application/x-www-form-urlencoded`). Unknown parameters are ignored.
///
/// # Errors
/// A parameter is missing or occurs twice.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, FieldError> {
    serde_urlencoded::from_bytes(body)
        .map(|Form(form)| form)
        .map_err(|error| FieldError::from_serde(String::new(), &error.to_string()))
}

struct Form<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Form<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::object(deserializer, "a form").map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only the errors are of interest")]
    struct Message {
        name: String,
    }

    #[test]
    fn missing_or_repeated_parameter_is_named() {
        let error = |body: &str| {
            let error = parse::<Message>(body.as_bytes()).expect_err("an error");
            error.sentence("The form")
        };
        assert_eq!(error("other=1"), "name is missing; it must be a string");
        assert_eq!(error("name=a&name=b"), "name must occur only once");
        assert!(parse::<Message>(b"name=a&other=1&other=2").is_ok());
    }
}
