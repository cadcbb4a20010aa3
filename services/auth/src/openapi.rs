//! The OpenAPI document of this service.

use actix_web::HttpResponse;
use rollcall_platform::openapi::secured;
use utoipa::{OpenApi, openapi::security::HttpAuthScheme};

use crate::routes;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Rollcall: tokens",
        description = "Tokens for API clients, by KB008 and by OAuth 2.0."
    ),
    paths(
        routes::connect::connect,
        routes::token::token,
        routes::introspect::introspect,
        routes::revoke::revoke,
        routes::jwks::jwks,
        routes::metadata::metadata,
    )
)]
struct Document;

/// `GET /api/v1/auth/openapi.json`.
pub async fn document() -> HttpResponse {
    HttpResponse::Ok().json(secured(
        Document::openapi(),
        "client",
        HttpAuthScheme::Basic,
    ))
}
