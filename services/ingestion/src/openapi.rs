//! The OpenAPI document of this service.

use actix_web::HttpResponse;
use rollcall_platform::openapi::secured;
use utoipa::{OpenApi, openapi::security::HttpAuthScheme};

use crate::routes;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Rollcall: ingestion",
        description = "Receives events from sources."
    ),
    paths(routes::events::events)
)]
struct Document;

/// `GET /api/v1/ingestion/openapi.json`.
pub async fn document() -> HttpResponse {
    HttpResponse::Ok().json(secured(
        Document::openapi(),
        "source",
        HttpAuthScheme::Bearer,
    ))
}
