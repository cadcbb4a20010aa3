//! The OpenAPI document of this service.

use actix_web::HttpResponse;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{Http, HttpAuthScheme, SecurityScheme},
};

use crate::routes;

#[derive(OpenApi)]
#[openapi(
    info(title = "Rollcall: tokens", description = "Tokens for API clients: KB008's door and the OAuth 2.0 ones."),
    paths(
        routes::connect::connect,
        routes::token::token,
        routes::introspect::introspect,
        routes::revoke::revoke,
        routes::jwks::jwks,
        routes::metadata::metadata,
    ),
    modifiers(&Security)
)]
struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Basic));
        document.components.get_or_insert_default().add_security_scheme("client", scheme);
    }
}

/// `GET /api/v1/auth/openapi.json`.
pub async fn document() -> HttpResponse {
    HttpResponse::Ok().json(Document::openapi())
}
