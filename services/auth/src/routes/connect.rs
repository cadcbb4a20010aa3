//! `POST /api/v1/auth/connect` (KB008) exchanges user name and password for a token.

use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use rollcall_platform::{
    envelope::{Envelope, Problem},
    request::{Body, json_object, required_text},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{client_address::ClientAddress, credentials::Credentials, tokens::Tokens};

/// The credentials of an API client.
#[derive(Deserialize, ToSchema)]
pub struct ConnectRequest {
    /// User name of the API client.
    #[schema(example = "k3vq8m2xw7hd5tzr9bnc")]
    pub username: String,
    /// Password of the API client.
    #[schema(format = Password)]
    pub password: String,
}

/// The token.
#[derive(Serialize, ToSchema)]
pub struct ConnectResponse {
    /// JWT, signed with RS256, valid for 120 seconds.
    pub token: String,
}

/// Exchanges user name and password for a token.
#[utoipa::path(post, path = "/api/v1/auth/connect", operation_id = "signIn",
    tag = "Tokens (KB008)", request_body = ConnectRequest, responses(
    (status = 200, body = ConnectResponse),
    (status = 400, description = "A field is missing, is not a string or occurs twice",
        body = Envelope),
    (status = 401, description = "Wrong credentials", body = Envelope,
        headers(("WWW-Authenticate" = String))),
    (status = 413, description = "The body is too large", body = Envelope),
    (status = 415, description = "The body is not application/json", body = Envelope),
    (status = 429, description = "Too many calls or sign-ins from this address", body = Envelope,
        headers(("Retry-After" = u32))),
    (status = 503, description = "A part of the service is down", body = Envelope,
        headers(("Retry-After" = u32))),
))]
pub async fn connect(
    request: HttpRequest,
    body: Body,
    address: ClientAddress,
    credentials: Data<Credentials>,
    tokens: Data<Tokens>,
) -> Result<HttpResponse, Problem> {
    let object = json_object(&request, body)?;
    let name = required_text(&object, "username", "the API client's name")?;
    let password = SecretString::from(secret(&object)?);
    let client = credentials.check(name, password, address).await?;
    let token = tokens.issue(&client, &client.scope).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(ConnectResponse { token }))
}

/// Returns the password. The error message does not repeat the value, unlike that of other fields.
fn secret(object: &serde_json::Map<String, serde_json::Value>) -> Result<&str, Problem> {
    let password = object.get("password").and_then(serde_json::Value::as_str);
    password.ok_or_else(|| {
        Problem::bad_request("password must be a string with the API client's password.")
    })
}
