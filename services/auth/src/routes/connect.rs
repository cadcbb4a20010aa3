//! `POST /api/v1/auth/connect` (KB008) exchanges user name and password for a token.

use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use rollcall_platform::{
    envelope::{Envelope, Problem},
    request::{Body, json_object},
};
use rollcall_wire::json;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use utoipa::ToSchema;

use crate::{client_address::ClientAddress, credentials::Credentials, tokens::Tokens};

/// The credentials of an API client.
#[derive(Deserialize, ToSchema)]
pub struct ConnectRequest {
    /// User name of the API client.
    #[serde(deserialize_with = "user_name")]
    #[schema(value_type = String, example = "k3vq8m2xw7hd5tzr9bnc")]
    pub username: String,
    /// Password of the API client.
    #[serde(deserialize_with = "password")]
    #[schema(value_type = String, format = Password)]
    pub password: SecretString,
}

/// The token. The body contains nothing else.
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
    let ConnectRequest { username, password } = json_object(&request, body)?;
    let client = credentials.check(&username, password, address).await?;
    let token = tokens.issue(&client, &client.scope).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(ConnectResponse { token }))
}

/// Deserializes the user name.
fn user_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    json::any_text(deserializer, "a string with the API client's name")
}

/// Deserializes the password. Unlike that of other fields, the error does not repeat the value.
fn password<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    let password = String::deserialize(deserializer);
    let accepted = "must be a string with the API client's password";
    Ok(password.map_err(|_| D::Error::custom(accepted))?.into())
}
