//! The OpenAPI document of version 2.

use actix_web::HttpResponse;
use rollcall_platform::{openapi::with_client_credentials, problem_details::ProblemDetails};
use utoipa::{
    IntoResponses, OpenApi, PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type},
};

use super::{
    attendance, calendar_list, employees, exceptions, live, people, session_events, sessions,
    sources,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Rollcall: reporting, version 2",
        version = "2",
        description = "Attendance per person and reporting day, its evidence and its completeness."
    ),
    paths(
        attendance::attendance,
        calendar_list::calendars,
        employees::employees,
        exceptions::exceptions,
        live::live,
        people::people,
        session_events::events,
        sessions::sessions,
        sources::sources
    )
)]
struct Document;

/// Content of a binary file.
pub struct Binary;

impl PartialSchema for Binary {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
            .into()
    }
}

impl ToSchema for Binary {}

/// Error responses that every address has.
#[derive(IntoResponses)]
#[allow(dead_code, reason = "documents responses")]
pub enum Problems {
    /// Parameters are invalid.
    #[response(status = 400, content_type = "application/problem+json")]
    Invalid(ProblemDetails),
    /// The token is missing, bad, expired or revoked.
    #[response(
        status = 401,
        content_type = "application/problem+json",
        headers(("WWW-Authenticate" = String))
    )]
    Unauthorized(ProblemDetails),
    /// The API client lacks the scope `reporting:read`.
    #[response(
        status = 403,
        content_type = "application/problem+json",
        headers(("WWW-Authenticate" = String))
    )]
    Forbidden(ProblemDetails),
    /// No encoding or format fits the headers `Accept` and `Accept-Encoding`.
    #[response(status = 406, content_type = "application/problem+json")]
    NotAcceptable(ProblemDetails),
    /// The API client sends too many requests, or has too many large reports running.
    #[response(
        status = 429,
        content_type = "application/problem+json",
        headers(
            ("Retry-After" = u32),
            ("RateLimit" = String),
            ("RateLimit-Policy" = String)
        )
    )]
    TooMany(ProblemDetails),
    /// The database or the token store is down, or too many large reports run.
    #[response(
        status = 503,
        content_type = "application/problem+json",
        headers(("Retry-After" = u32))
    )]
    Unavailable(ProblemDetails),
}

/// `GET /api/v2/openapi.json`.
pub async fn document() -> HttpResponse {
    HttpResponse::Ok().json(with_client_credentials(Document::openapi(), "token"))
}
