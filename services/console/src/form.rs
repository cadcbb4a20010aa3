//! Input of visitors: bodies of forms and parameters of addresses.

use actix_web::{HttpRequest, http::StatusCode};
use jiff::civil::Date;
use rollcall_platform::request::{Body, media_type, received};
use rollcall_wire::form;
use serde::de::DeserializeOwned;

use crate::error::Problem;

/// Parses the body of a form. Unknown fields are ignored.
///
/// # Errors
/// 400 if a field is missing or occurs twice, 413 if the body is too large, 415 if it is no form.
pub fn parse<T: DeserializeOwned>(request: &HttpRequest, body: Body) -> Result<T, Problem> {
    if media_type(request) != "application/x-www-form-urlencoded" {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::new(status, "error.no_form", &[]));
    }
    let body = body_of(body)?;
    form::parse(&body).map_err(|error| {
        let detail = error.sentence("The form");
        Problem::bad_request("error.bad_form", &[("detail", &detail)])
    })
}

/// Parses the parameters in the address. Unknown parameters are ignored.
///
/// # Errors
/// 400 if a parameter occurs twice.
pub fn query<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, Problem> {
    form::parse(request.query_string().as_bytes()).map_err(|error| {
        let detail = error.sentence("The address");
        Problem::bad_request("error.bad_query", &[("detail", &detail)])
    })
}

/// Parses a date. An empty field has none.
///
/// # Errors
/// 400 if the field has anything but a calendar day in the form `YYYY-MM-DD`.
pub fn date(field: &'static str, value: &str) -> Result<Option<Date>, Problem> {
    if value.is_empty() {
        return Ok(None);
    }
    let is_iso = value.len() == 10 && value.is_ascii();
    let date = is_iso.then(|| Date::strptime("%Y-%m-%d", value).ok());
    date.flatten()
        .map(Some)
        .ok_or_else(|| Problem::bad_request("error.bad_date", &[("field", field), ("got", value)]))
}

/// Returns the bytes of a body.
///
/// # Errors
/// 413 if the body is too large, 400 if it cannot be read.
pub fn body_of(body: Body) -> Result<actix_web::web::Bytes, Problem> {
    received(body).map_err(|problem| {
        let status = actix_web::ResponseError::status_code(&problem);
        let key = if status == StatusCode::PAYLOAD_TOO_LARGE {
            "error.too_large"
        } else {
            "error.no_form"
        };
        Problem::new(status, key, &[])
    })
}
