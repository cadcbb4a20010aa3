//! The OpenAPI document of this service.

use actix_web::HttpResponse;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{Http, HttpAuthScheme, SecurityScheme},
};

use crate::v1;

#[derive(OpenApi)]
#[openapi(
    info(title = "Rollcall: reporting", description = "Attendance reports (KB008)."),
    paths(v1::sessions::sessions),
    modifiers(&Security)
)]
struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("token", scheme);
    }
}

/// `GET /api/v1/reporting/openapi.json`.
pub async fn document() -> HttpResponse {
    HttpResponse::Ok().json(Document::openapi())
}
