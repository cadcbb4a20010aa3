//! The OpenAPI document of this service.

use actix_web::HttpResponse;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{Http, HttpAuthScheme, SecurityScheme},
};

use crate::routes;

#[derive(OpenApi)]
#[openapi(
    info(title = "Rollcall: ingestion", description = "The HTTP door for sources."),
    paths(routes::events::events),
    modifiers(&Security)
)]
struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("source", scheme);
    }
}

/// `GET /api/v1/ingestion/openapi.json`.
pub async fn document() -> HttpResponse {
    HttpResponse::Ok().json(Document::openapi())
}
