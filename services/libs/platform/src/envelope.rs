//! The response envelope of version 1 (KB008). Tokens and ingestion results are the only responses
//! without it.
//!
//! Errors by layer: a domain or store error becomes a [`Problem`] in the route that met it; its
//! message is for the client and says what to do. What only the operator may know is logged there.

use std::fmt;

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
};
use serde::Serialize;

use crate::clock::Clock;

/// An error as the client sees it: status and `statusMessage`, and a header where one belongs to it.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    message: String,
    header: Option<(HeaderName, HeaderValue)>,
}

/// KB008's envelope around no rows; that around rows is streamed by `reporting`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// The HTTP status.
    pub status_code: u16,
    /// What happened; in an error, what to do.
    pub status_message: String,
    /// UTC, seven fractional digits.
    pub response_date: String,
    /// Empty.
    #[schema(value_type = Vec<Object>, max_items = 0)]
    pub data: Vec<()>,
}

impl Envelope {
    /// An envelope without rows.
    #[must_use]
    pub fn empty(status: StatusCode, message: impl Into<String>, clock: &Clock) -> Self {
        Self {
            status_code: status.as_u16(),
            status_message: message.into(),
            response_date: response_date(clock),
            data: Vec::new(),
        }
    }
}

/// UTC now as `2025-02-13T10:53:56.3567571Z`.
#[must_use]
pub fn response_date(clock: &Clock) -> String {
    clock.now().strftime("%Y-%m-%dT%H:%M:%S%.7fZ").to_string()
}

impl Problem {
    /// Any status with its message.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            header: None,
        }
    }

    /// 400: the message names the field, what it got and what it takes.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 401 without a challenge's error: credentials are missing or wrong.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message).with_static(header::WWW_AUTHENTICATE, "Bearer")
    }

    /// 401 for a token that is bad, expired or revoked (RFC 6750, 3.1).
    pub fn invalid_token(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
            .with_static(header::WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#)
    }

    /// 503: the same request may succeed later.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message).with_static(header::RETRY_AFTER, "1")
    }

    /// 500: the cause goes to the log and not to the client.
    pub fn internal(cause: &dyn fmt::Display) -> Self {
        tracing::error!(%cause, "internal error");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "An internal error occurred. Repeat the call. If the error persists, give the X-Request-Id of this response to the operator.",
        )
    }

    /// The same with a header.
    #[must_use]
    pub fn with_static(self, name: HeaderName, value: &'static str) -> Self {
        self.with_header(name, HeaderValue::from_static(value))
    }

    /// Adds a header whose value is computed.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.header = Some((name, value.into()));
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if let Some((name, value)) = &self.header {
            response.insert_header((name.clone(), value.clone()));
        }
        response.json(Envelope::empty(
            self.status,
            self.message.clone(),
            &Clock::System,
        ))
    }
}
