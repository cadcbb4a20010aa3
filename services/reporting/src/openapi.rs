//! The OpenAPI document of this service, and the page on which all three can be read and tried.

use actix_web::HttpResponse;
use rollcall_platform::openapi::secured;
use utoipa::{OpenApi, openapi::security::HttpAuthScheme};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::v1;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Rollcall: reporting",
        description = "Attendance reports (KB008)."
    ),
    paths(v1::sessions::sessions)
)]
struct Document;

/// `GET /api/v1/reporting/openapi.json`.
pub async fn document() -> HttpResponse {
    HttpResponse::Ok().json(secured(
        Document::openapi(),
        "token",
        HttpAuthScheme::Bearer,
    ))
}

/// `GET /api/docs/`: Swagger UI, from this binary alone.
#[must_use]
pub fn page() -> SwaggerUi {
    let documents =
        ["reporting", "auth", "ingestion"].map(|service| format!("/api/v1/{service}/openapi.json"));
    SwaggerUi::new("/api/docs/{_:.*}").config(Config::new(documents))
}
