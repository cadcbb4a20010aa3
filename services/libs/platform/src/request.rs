//! Helpers of routes that read the head and body of a request.

use actix_web::{
    HttpRequest, HttpResponse, Resource, Route,
    error::PayloadError,
    http::{Method, StatusCode, header},
    web::{self, Bytes},
};
use rollcall_wire::{json, quote::quoted};
use serde::de::DeserializeOwned;

use crate::envelope::Problem;

/// Body of a request, or the error with which it was received.
pub type Body = Result<Bytes, actix_web::Error>;

/// Creates a resource with one path and one method. Other methods get 405 with `Allow`.
#[must_use]
pub fn only(path: &str, method: &'static Method, route: Route) -> Resource {
    let reject = move || async move {
        let problem = Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("This address accepts {method} and no other method."),
        );
        Err::<HttpResponse, _>(problem.with_static(header::ALLOW, method_name(method)))
    };
    web::resource(path.to_owned())
        .route(route.method(method.clone()))
        .default_service(web::to(reject))
}

fn method_name(method: &Method) -> &'static str {
    if method == Method::GET { "GET" } else { "POST" }
}

/// Returns the token that follows `Bearer` and one space in `Authorization` (RFC 6750, section
/// 2.1). Returns `None` if there is whitespace in or around the token.
#[must_use]
pub fn bearer(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = request
        .headers()
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    let is_token = !token.is_empty() && !token.contains(char::is_whitespace);
    (scheme.eq_ignore_ascii_case("Bearer") && is_token).then_some(token)
}

/// Returns the media type without its parameters, in lower case. The result is empty if the request
/// has no `Content-Type`.
#[must_use]
pub fn media_type(request: &HttpRequest) -> String {
    let value = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

/// Parses the body, a JSON object.
///
/// # Errors
/// 415 for another media type, 413 for a body that is too large, 400 for a body that is not such an
/// object. The message names the invalid field, its value and what the field accepts.
pub fn json_object<T: DeserializeOwned>(request: &HttpRequest, body: Body) -> Result<T, Problem> {
    let media_type = media_type(request);
    if media_type != "application/json" {
        return Err(unsupported_media_type(&media_type, "application/json"));
    }
    let body = received(body)?;
    let text = std::str::from_utf8(&body)
        .map_err(|error| Problem::bad_request(format!("The body must be UTF-8: {error}.")))?;
    json::parse(text)
        .map_err(|error| Problem::bad_request(format!("{}.", error.sentence("The body"))))
}

/// Creates a 415 that names the accepted media types.
#[must_use]
pub fn unsupported_media_type(got: &str, accepted: &str) -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        format!("Content-Type must be {accepted} (got {}).", quoted(got)),
    )
}

/// Returns the bytes of the body.
///
/// # Errors
/// 413 for a body that is too large, 400 for a body that is incomplete or has an invalid encoding.
pub fn received(body: Body) -> Result<Bytes, Problem> {
    body.map_err(|error| match error.as_error::<PayloadError>() {
        Some(PayloadError::Overflow) => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The body is too large. Send it in parts.",
        ),
        _ => Problem::bad_request(format!("The body could not be read: {error}.")),
    })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn bearer_token_has_no_blank_in_or_around_it() {
        let token = |value: &'static str| {
            let request = TestRequest::default().insert_header((header::AUTHORIZATION, value));
            bearer(&request.to_http_request()).map(ToOwned::to_owned)
        };
        assert_eq!(token("Bearer a.b.c").as_deref(), Some("a.b.c"));
        assert_eq!(token("bearer a").as_deref(), Some("a"));
        for value in [
            "Bearer a ",
            "Bearer  a",
            "Bearer a b",
            "Bearer a\t",
            "Bearer ",
            "Basic a",
        ] {
            assert_eq!(token(value), None, "{value:?}");
        }
    }
}
