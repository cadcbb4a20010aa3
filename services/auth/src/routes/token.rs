//! `POST /oauth2/token` (RFC 6749, section 4.4). Issues the same tokens as KB008's call.

use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use rollcall_platform::request::Body;
use rollcall_wire::json;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::{
    client_address::ClientAddress,
    credentials::Credentials,
    form::{OauthError, authenticated},
    tokens::Tokens,
};

/// Parameters of a token request.
#[derive(Deserialize, ToSchema)]
pub struct TokenRequest {
    /// `client_credentials`.
    #[serde(deserialize_with = "grant_type")]
    #[schema(pattern = "^client_credentials$", example = "client_credentials")]
    pub grant_type: String,
    /// Scopes of the token, separated by spaces. The default is all scopes of the client.
    #[schema(
        pattern = "^(reporting:read|attendance:write|admin)\
            ( (reporting:read|attendance:write|admin))*$",
        example = "reporting:read",
        nullable = false
    )]
    pub scope: Option<String>,
}

/// Response of RFC 6749, section 5.1.
#[derive(Serialize, ToSchema)]
pub struct TokenResponse {
    /// JWT, signed with RS256.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: &'static str,
    /// Lifetime in seconds.
    pub expires_in: u32,
    /// Scopes of the token, separated by spaces.
    pub scope: String,
}

/// Issues a token to a client that authenticates itself.
#[utoipa::path(post, path = "/oauth2/token", operation_id = "issueToken",
    tag = "OAuth 2.0", security(("client" = [])),
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
        responses(
    (status = 200, body = TokenResponse),
    (status = 400, body = OauthError, description = "A parameter is missing or wrong"),
    (status = 401, body = OauthError, description = "Wrong credentials",
        headers(("WWW-Authenticate" = String))),
    (status = 413, body = OauthError, description = "The body is too large"),
    (status = 415, body = OauthError, description = "The body is not a form"),
    (status = 429, body = OauthError, description = "Too many sign-ins from this address",
        headers(("Retry-After" = u32))),
    (status = 500, body = OauthError, description = "The token could not be signed"),
    (status = 503, body = OauthError, description = "A part of the service is down",
        headers(("Retry-After" = u32))),
))]
pub async fn token(
    request: HttpRequest,
    body: Body,
    address: ClientAddress,
    credentials: Data<Credentials>,
    tokens: Data<Tokens>,
) -> Result<HttpResponse, OauthError> {
    let (form, client) = authenticated(&request, body, address, &credentials).await?;
    let TokenRequest { grant_type, scope } = form.parse()?;
    if grant_type != "client_credentials" {
        return Err(OauthError::bad_request(
            "unsupported_grant_type",
            "grant_type must be client_credentials.",
        ));
    }
    let scope = granted(&client.scope, scope.as_deref())?;
    let response = TokenResponse {
        access_token: tokens.issue(&client, &scope).await?,
        token_type: "Bearer",
        expires_in: tokens.settings().lifetime_seconds,
        scope,
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(response))
}

/// Deserializes the grant type. Another one gets an error code of its own in [`token`].
fn grant_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    json::any_text(deserializer, "client_credentials")
}

fn granted(owned: &str, asked: Option<&str>) -> Result<String, OauthError> {
    let Some(asked) = asked else {
        return Ok(owned.to_owned());
    };
    match asked
        .split(' ')
        .find(|scope| !owned.split(' ').any(|owned| owned == *scope))
    {
        Some(foreign) => Err(OauthError::bad_request(
            "invalid_scope",
            format!("scope must be among the client's scopes {owned} (got {foreign:?})."),
        )),
        None => Ok(asked.to_owned()),
    }
}
