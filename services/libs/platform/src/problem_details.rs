//! Errors of version 2 of the API: `application/problem+json` (RFC 9457).

use actix_web::http::StatusCode;
use rollcall_wire::FieldError;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Media type of a [`ProblemDetails`].
pub const MEDIA_TYPE: &str = "application/problem+json";

/// An error response of version 2 (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemDetails {
    /// Always `about:blank`: the status says what kind of error this is.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    pub kind: &'static str,
    /// Name of the status.
    #[schema(example = "Bad Request")]
    pub title: String,
    /// HTTP status.
    #[schema(example = 400)]
    pub status: u16,
    /// Message that says what is wrong and what to do.
    #[schema(example = "2 parameters are invalid: see errors.")]
    pub detail: String,
    /// Invalid parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<InvalidField>,
    /// Identifier of the request, as in the header `X-Request-Id`. The operator finds the request
    /// in the log by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Further members, which the endpoint documents.
    #[serde(flatten)]
    #[schema(ignore)]
    pub members: Map<String, Value>,
}

/// An invalid parameter.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct InvalidField {
    /// Name of the parameter.
    #[schema(example = "start_date")]
    pub field: String,
    /// Message that says what is wrong, the value, and what is accepted.
    #[schema(
        example = "start_date must be a calendar date in the form YYYY-MM-DD (got \"2025-02-30\")."
    )]
    pub message: String,
}

impl From<&FieldError> for InvalidField {
    fn from(error: &FieldError) -> Self {
        Self {
            field: error.field.clone().into_owned(),
            message: format!("{}.", error.sentence("The request")),
        }
    }
}

impl ProblemDetails {
    /// Creates the error of a status.
    #[must_use]
    pub fn new(status: StatusCode, detail: String) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            detail,
            errors: Vec::new(),
            request_id: None,
            members: Map::new(),
        }
    }
}
