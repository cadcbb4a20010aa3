//! `POST /oauth2/introspect` (RFC 7662).

use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use rollcall_platform::{
    request::Body,
    token::{ADMIN, Claims},
};
use rollcall_store::{Pool, api_clients};
use rollcall_wire::json;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::{
    client_address::ClientAddress,
    credentials::{Client, Credentials},
    form::{OauthError, authenticated},
    sign_in_error::SignInError,
    tokens::Tokens,
};

/// Parameters of introspection and revocation.
#[derive(Deserialize, ToSchema)]
pub struct TokenForm {
    /// Access token.
    #[serde(deserialize_with = "access_token")]
    pub token: String,
}

/// Response of RFC 7662, section 2.2. All fields but `active` are present only for an active token.
#[derive(Default, Serialize, ToSchema)]
#[allow(missing_docs, reason = "registered names")]
pub struct Introspection {
    pub active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub claims: Option<Claims>,
}

/// Returns whether a token is active. A client sees its own tokens; with the scope `admin` it sees
/// all.
#[utoipa::path(post, path = "/oauth2/introspect", operation_id = "introspectToken",
    tag = "OAuth 2.0", security(("client" = [])),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
        responses(
    (status = 200, body = Introspection),
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
pub async fn introspect(
    request: HttpRequest,
    body: Body,
    address: ClientAddress,
    credentials: Data<Credentials>,
    tokens: Data<Tokens>,
    pool: Data<Pool>,
) -> Result<HttpResponse, OauthError> {
    let (form, client) = authenticated(&request, body, address, &credentials).await?;
    let TokenForm { token } = form.parse()?;
    let answer = match tokens.introspect(&token).await? {
        Some(claims) if may_see(&client, &claims) && is_enabled(&pool, &claims.sub).await? => {
            Introspection {
                active: true,
                client_id: Some(claims.sub.clone()),
                token_type: Some("Bearer"),
                claims: Some(claims),
            }
        }
        _ => Introspection::default(),
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(answer))
}

/// Returns true if the client is enabled. The tokens of a disabled client end at once.
async fn is_enabled(pool: &Pool, name: &str) -> Result<bool, SignInError> {
    let scope = pool.ask(async |connection| api_clients::scope_of(connection, name).await);
    Ok(scope.await?.is_some())
}

fn may_see(client: &Client, claims: &Claims) -> bool {
    claims.sub == client.name || client.scope.split(' ').any(|scope| scope == ADMIN)
}

fn access_token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    json::any_text(deserializer, "an access token")
}
