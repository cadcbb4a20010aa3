//! The OpenAPI document of version 2.

use actix_web::HttpResponse;
use rollcall_platform::openapi::with_client_credentials;
use utoipa::OpenApi;

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

/// `GET /api/v2/openapi.json`.
pub async fn document() -> HttpResponse {
    HttpResponse::Ok().json(with_client_credentials(Document::openapi(), "token"))
}
