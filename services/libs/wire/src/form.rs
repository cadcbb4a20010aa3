//! Parses forms so that an error names the invalid parameter.

use serde::de::DeserializeOwned;

use crate::FieldError;

/// Parses the body of a form (`application/x-www-form-urlencoded`).
///
/// # Errors
/// A parameter is missing or occurs twice.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, FieldError> {
    serde_urlencoded::from_bytes(body)
        .map_err(|error| FieldError::from_serde(String::new(), &error.to_string()))
}
