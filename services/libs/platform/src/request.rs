//! Helpers of routes that read the head and body of a request.

use actix_web::{
    HttpRequest, HttpResponse, Resource, Route,
    error::PayloadError,
    http::{Method, StatusCode, header},
    web::{self, Bytes},
};
use serde_json::{Map, Value};

use crate::{envelope::Problem, strict_json::Strict};

/// A body that may have failed to arrive.
pub type Body = Result<Bytes, actix_web::Error>;

/// Creates a resource with one path and one method. Other methods get 405 with `Allow`.
#[must_use]
pub fn only(path: &str, method: &'static Method, route: Route) -> Resource {
    let refusal = move || async move {
        let problem = Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("This address takes {method} and no other method."),
        );
        Err::<HttpResponse, _>(problem.with_static(header::ALLOW, method_name(method)))
    };
    web::resource(path.to_owned())
        .route(route.method(method.clone()))
        .default_service(web::to(refusal))
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

/// The media type without its parameters, in lower case; empty when there is none.
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

/// The body as a JSON object.
///
/// # Errors
/// 415 for another media type, 413 for a body that is too large, 400 for a body that is not a JSON
/// object or names a field twice.
pub fn json_object(request: &HttpRequest, body: Body) -> Result<Map<String, Value>, Problem> {
    let media_type = media_type(request);
    if media_type != "application/json" {
        return Err(unsupported_media_type(&media_type, "application/json"));
    }
    let example = "Send a JSON object.";
    match serde_json::from_slice(&received(body)?) {
        Ok(Strict(Value::Object(object))) => Ok(object),
        Ok(_) => Err(Problem::bad_request(format!(
            "The body is JSON, but not an object. {example}"
        ))),
        Err(error) if error.is_data() => Err(Problem::bad_request(format!(
            "The body is ambiguous: {error}. Name each field once."
        ))),
        Err(error) => Err(Problem::bad_request(format!(
            "The body is not JSON: {error}. {example}"
        ))),
    }
}

/// Quotes a text that a client sent, for an error message. A text longer than 64 bytes is truncated
/// and ends with `…`.
#[must_use]
pub fn excerpt(text: &str) -> String {
    const MAX_BYTES: usize = 64;
    let end = text.floor_char_boundary(MAX_BYTES);
    let more = if end < text.len() { "…" } else { "" };
    format!("{:?}", format!("{}{more}", &text[..end]))
}

/// 415 that says what is taken.
#[must_use]
pub fn unsupported_media_type(got: &str, takes: &str) -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        format!("Content-Type: got {got:?}, takes {takes}."),
    )
}

/// The body's bytes.
///
/// # Errors
/// 413 when it was too large, 400 when it was broken off or its encoding was wrong.
pub fn received(body: Body) -> Result<Bytes, Problem> {
    body.map_err(|error| match error.as_error::<PayloadError>() {
        Some(PayloadError::Overflow) => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The body is too large. Send it in parts.",
        ),
        _ => Problem::bad_request(format!("The body could not be read: {error}.")),
    })
}

/// The text of a required field.
///
/// # Errors
/// 400 that names the field.
pub fn required_text<'a>(
    object: &'a Map<String, Value>,
    field: &str,
    takes: &str,
) -> Result<&'a str, Problem> {
    match object.get(field) {
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(Problem::bad_request(format!(
            "{field}: got {}, takes {takes}.",
            shown(other)
        ))),
        None => Err(Problem::bad_request(format!(
            "{field}: is missing, takes {takes}."
        ))),
    }
}

/// Formats a JSON value for an error message. An array or an object may be as large as the body, so
/// only its type is named.
#[must_use]
pub fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "an array".into(),
        Value::Object(_) => "an object".into(),
        Value::String(text) => excerpt(text),
        other => other.to_string(),
    }
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

    #[test]
    fn an_excerpt_has_64_bytes_of_whole_characters_at_most() {
        assert_eq!(excerpt("short\n"), r#""short\n""#);
        assert_eq!(excerpt(&"é".repeat(40)), format!("\"{}…\"", "é".repeat(32)));
        assert_eq!(excerpt(&format!("a{}", "é".repeat(40))).len(), 63 + 3 + 2);
    }
}
