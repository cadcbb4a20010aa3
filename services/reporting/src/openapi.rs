//! The OpenAPI document of this service.

use actix_web::HttpResponse;
use platform::openapi::secured;
use utoipa::{OpenApi, openapi::security::HttpAuthScheme};

use crate::v1;

#[derive(OpenApi)]
#[openapi(
    info(title = "Rollcall: reporting", description = "Attendance reports (KB008)."),
    paths(v1::sessions::sessions)
)]
struct Document;

/// `GET /api/v1/reporting/openapi.json`.
pub async fn document() -> HttpResponse {
    HttpResponse::Ok().json(secured(Document::openapi(), "token", HttpAuthScheme::Bearer))
}
