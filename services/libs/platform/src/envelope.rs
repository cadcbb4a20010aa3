//! The response envelope of version 1 (KB008), and errors. Tokens and ingestion results are the only
//! responses of version 1 without the envelope.
//!
//! A route turns an error of the domain or the store into a [`Problem`], whose message tells the
//! client what to do. Details for the operator go to the log. The server writes the body of each
//! problem: see [`respond_to_problem`].

use std::fmt;

use actix_web::{
    HttpResponse, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use rollcall_wire::FieldError;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    clock::Clock,
    problem_details::{self, ProblemDetails},
};

/// Beginning of the paths of version 2, whose errors are [`ProblemDetails`].
const VERSION_2: &str = "/api/v2/";

/// An error as the client sees it: the status, the message and at most one header. Only version 2
/// shows the invalid fields one by one.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    message: String,
    header: Option<(HeaderName, HeaderValue)>,
    /// Boxed, so that a `Result` with a problem stays small.
    details: Box<Details>,
}

/// Details that only version 2 shows.
#[derive(Debug, Clone, Default)]
struct Details {
    errors: Vec<FieldError>,
    members: Map<String, Value>,
}

/// The envelope of KB008 without rows. `reporting` streams the envelope with rows.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// HTTP status.
    pub status_code: u16,
    /// Result of the call. In an error, what to do.
    pub status_message: String,
    /// Time of the response, UTC, with seven fractional digits.
    pub response_date: String,
    /// Always empty.
    #[schema(value_type = Vec<Object>, max_items = 0)]
    pub data: Vec<()>,
}

impl Envelope {
    /// Creates an envelope without rows.
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

/// Returns the present time in the form `2025-02-13T10:53:56.3567571Z`.
#[must_use]
pub fn response_date(clock: &Clock) -> String {
    clock.now().strftime("%Y-%m-%dT%H:%M:%S%.7fZ").to_string()
}

impl Problem {
    /// Creates an error of any status.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            header: None,
            details: Box::default(),
        }
    }

    /// Creates a 400. The message names the field, its value and the accepted values.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Creates a 400 for invalid parameters.
    #[must_use]
    pub fn invalid_fields(errors: Vec<FieldError>) -> Self {
        let message = match &errors[..] {
            [error] => format!("{}.", error.sentence("The request")),
            errors => format!("{} parameters are invalid: see errors.", errors.len()),
        };
        let mut problem = Self::bad_request(message);
        problem.details.errors = errors;
        problem
    }

    /// Creates a 401 for missing or wrong credentials.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message).with_static(header::WWW_AUTHENTICATE, "Bearer")
    }

    /// Creates a 401 for an invalid, expired or revoked token (RFC 6750, section 3.1).
    pub fn invalid_token(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
            .with_static(header::WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#)
    }

    /// Creates a 503. The same request may succeed later.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message).with_static(header::RETRY_AFTER, "1")
    }

    /// Creates a 500. The cause is logged and not sent to the client.
    pub fn internal(cause: &dyn fmt::Display) -> Self {
        tracing::error!(%cause, "Failed to handle a request");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "An internal error occurred. Repeat the call. If the error persists, give the \
             X-Request-Id of this response to the operator.",
        )
    }

    /// Adds a header.
    #[must_use]
    pub fn with_static(self, name: HeaderName, value: &'static str) -> Self {
        self.with_header(name, HeaderValue::from_static(value))
    }

    /// Adds a member to the body. Only version 2 shows it.
    #[must_use]
    pub fn with_member(mut self, name: &str, value: Value) -> Self {
        self.details.members.insert(name.to_owned(), value);
        self
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
        response.extensions_mut().insert(self.clone());
        response.finish()
    }
}

/// Writes the body of a response that is a [`Problem`], in the form of the version of the API that
/// the path names. The problem itself knows neither the clock nor the request.
///
/// # Errors
/// Returns the errors of `next`.
pub async fn respond_to_problem(
    clock: Data<Clock>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let mut response = next.call(request).await?.map_into_boxed_body();
    let problem = response.response_mut().extensions_mut().remove::<Problem>();
    let Some(problem) = problem else {
        return Ok(response);
    };
    let request = response.request();
    let (media_type, body) = if request.path().starts_with(VERSION_2) {
        let request_id = request.headers().get("x-request-id");
        let details = ProblemDetails {
            errors: problem.details.errors.iter().map(Into::into).collect(),
            members: problem.details.members,
            request_id: request_id.and_then(|id| Some(id.to_str().ok()?.to_owned())),
            ..ProblemDetails::new(problem.status, problem.message)
        };
        (problem_details::MEDIA_TYPE, serde_json::to_string(&details))
    } else {
        let envelope = Envelope::empty(problem.status, problem.message, &clock);
        ("application/json", serde_json::to_string(&envelope))
    };
    let media_type = HeaderValue::from_static(media_type);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media_type);
    let body = body?;
    Ok(response.map_body(|_, _| BoxBody::new(body)))
}
