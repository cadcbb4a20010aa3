//! `POST /oauth2/revoke` (RFC 7009).

use actix_web::{HttpRequest, HttpResponse, web::Data};
use rollcall_platform::request::Body;
use rollcall_store::{Pool, audit_log};
use serde_json::json;

use super::introspect::TokenForm;
use crate::{
    client_address::ClientAddress,
    credentials::Credentials,
    form::{OauthError, authenticated},
    sign_in_error::SignInError,
    tokens::Tokens,
};

/// Revokes a token of the calling client. Any other token also gets 200 and remains unchanged (RFC
/// 7009, section 2.2).
#[utoipa::path(post, path = "/oauth2/revoke", operation_id = "revokeToken",
    tag = "OAuth 2.0", security(("client" = [])),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
        responses(
    (status = 200, description = "The token is revoked, or was no active token of this client"),
    (status = 400, body = OauthError, description = "A parameter is missing"),
    (status = 401, body = OauthError, description = "Wrong credentials",
        headers(("WWW-Authenticate" = String))),
    (status = 413, body = OauthError, description = "The body is too large"),
    (status = 415, body = OauthError, description = "The body is not a form"),
    (status = 429, body = OauthError, description = "Too many sign-ins from this address",
        headers(("Retry-After" = u32))),
    (status = 503, body = OauthError, description = "A part of the service is down",
        headers(("Retry-After" = u32))),
))]
pub async fn revoke(
    request: HttpRequest,
    body: Body,
    address: ClientAddress,
    credentials: Data<Credentials>,
    tokens: Data<Tokens>,
    pool: Data<Pool>,
) -> Result<HttpResponse, OauthError> {
    let (form, client) = authenticated(&request, body, address, &credentials).await?;
    let TokenForm { token } = form.parse()?;
    if let Some(claims) = tokens.revoke(&token, &client).await? {
        let detail = json!({"jti": claims.jti});
        let written = pool.ask(async |connection| {
            audit_log::write(connection, &client.name, "token.revoke", detail).await
        });
        written.await.map_err(SignInError::from)?;
    }
    Ok(HttpResponse::Ok().finish())
}
