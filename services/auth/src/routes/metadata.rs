//! `GET /.well-known/oauth-authorization-server` (RFC 8414).

use actix_web::{HttpResponse, web::Data};
use rollcall_platform::token::{ADMIN, ATTENDANCE_WRITE, REPORTING_READ};
use serde_json::json;

use crate::tokens::Tokens;

/// Returns the URLs of the OAuth endpoints.
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server",
    operation_id = "getServerMetadata",
    tag = "OAuth 2.0", responses((status = 200, description = "Metadata", body = Object)))]
pub async fn metadata(tokens: Data<Tokens>) -> HttpResponse {
    let issuer = &tokens.settings().issuer;
    let methods = ["client_secret_basic", "client_secret_post"];
    HttpResponse::Ok().json(json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/oauth2/token"),
        "introspection_endpoint": format!("{issuer}/oauth2/introspect"),
        "revocation_endpoint": format!("{issuer}/oauth2/revoke"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "scopes_supported": [REPORTING_READ, ATTENDANCE_WRITE, ADMIN],
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
    }))
}
