//! `GET /.well-known/jwks.json` (RFC 7517) returns the public keys that verify tokens.

use actix_web::{HttpResponse, http::header, web::Data};
use rollcall_platform::envelope::{Envelope, Problem};

use crate::tokens::Tokens;

/// Returns the public keys that verify tokens.
///
/// They may be cached for 5 minutes, because a new key is published for longer before it signs.
#[utoipa::path(get, path = "/.well-known/jwks.json", operation_id = "getSigningKeys",
    tag = "OAuth 2.0", responses(
    (status = 200, description = "A JWK set", body = Object),
    (status = 500, description = "The keys cannot be read", body = Envelope),
))]
pub async fn jwks(tokens: Data<Tokens>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "max-age=300"))
        .json(tokens.published()?))
}
