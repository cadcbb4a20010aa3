//! `GET /.well-known/jwks.json` (RFC 7517): the keys by which anyone can verify a token.

use actix_web::{HttpResponse, http::header, web::Data};
use rollcall_platform::envelope::{Envelope, Problem};

use crate::tokens::Tokens;

/// The public keys. A cache may keep them for less time than a new key is published before it signs.
#[utoipa::path(get, path = "/.well-known/jwks.json", responses(
    (status = 200, description = "A JWK set", body = Object),
    (status = 500, description = "The keys cannot be read", body = Envelope),
))]
pub async fn jwks(tokens: Data<Tokens>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "max-age=300"))
        .json(tokens.published()?))
}
