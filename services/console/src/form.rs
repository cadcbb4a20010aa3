//! Bodies of forms.

use actix_web::{HttpRequest, http::StatusCode};
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
