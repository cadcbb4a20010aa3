//! Shared by the OAuth endpoints: the form body, client authentication, and errors (RFC 6749,
//! section 5.2).

use std::fmt;

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{StatusCode, header},
    web::Bytes,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use rollcall_platform::request::{Body, media_type, received};
use rollcall_wire::form;
use secrecy::SecretString;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    client_address::ClientAddress,
    credentials::{Client, Credentials},
    sign_in_error::SignInError,
    tokens::TokenError,
};

/// An error of an OAuth endpoint.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OauthError {
    /// Code of RFC 6749, section 5.2.
    pub error: &'static str,
    /// Description of the error, with what is accepted or what to do.
    pub error_description: String,
    #[serde(skip)]
    status: u16,
}

impl OauthError {
    fn new(status: StatusCode, error: &'static str, description: impl Into<String>) -> Self {
        Self {
            error,
            error_description: description.into(),
            status: status.as_u16(),
        }
    }

    /// Returns an error with status 400 and this code.
    pub fn bad_request(error: &'static str, description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, description)
    }
}

impl fmt::Display for OauthError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.error, self.error_description)
    }
}

impl ResponseError for OauthError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        match self.status_code() {
            StatusCode::UNAUTHORIZED => {
                response.insert_header((header::WWW_AUTHENTICATE, r#"Basic realm="rollcall""#))
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                response.insert_header((header::RETRY_AFTER, "1"))
            }
            _ => &mut response,
        };
        response.json(self)
    }
}

impl From<SignInError> for OauthError {
    fn from(cause: SignInError) -> Self {
        let (status, error) = match cause {
            SignInError::Wrong => (StatusCode::UNAUTHORIZED, "invalid_client"),
            SignInError::TooMany => (StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable"),
            SignInError::Busy | SignInError::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable")
            }
        };
        Self::new(status, error, cause.to_string())
    }
}

impl From<TokenError> for OauthError {
    fn from(error: TokenError) -> Self {
        tracing::error!(%error, "Failed to issue or look up a token");
        match error {
            TokenError::Unavailable(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                "The token store does not answer. Repeat the call.",
            ),
            TokenError::Signing(_) => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "server_error",
                "The token could not be signed. Repeat the call. If the error persists, give the \
                 X-Request-Id of this response to the operator.",
            ),
        }
    }
}

/// A form of which the client is authenticated.
pub struct Form(Bytes);

impl Form {
    /// Parses the parameters of an endpoint. Other parameters are ignored (RFC 6749, section 3.2).
    ///
    /// # Errors
    /// 400 if a parameter is missing or occurs twice.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, OauthError> {
        form::parse(&self.0).map_err(|error| {
            OauthError::bad_request(
                "invalid_request",
                format!("{}.", error.sentence("The form")),
            )
        })
    }
}

/// Credentials in the form (RFC 6749, section 2.3.1).
#[derive(Deserialize)]
struct ClientForm {
    client_id: Option<String>,
    client_secret: Option<SecretString>,
}

/// Reads the form and authenticates the client, either by HTTP Basic or by `client_id` and
/// `client_secret` in the form. Using both is an error (RFC 6749, section 2.3).
///
/// # Errors
/// The body is not such a form, or the client is not authenticated.
pub async fn authenticated(
    request: &HttpRequest,
    body: Body,
    address: ClientAddress,
    credentials: &Credentials,
) -> Result<(Form, Client), OauthError> {
    let form = read(request, body)?;
    let ClientForm {
        client_id,
        client_secret,
    } = form.parse()?;
    let (name, password) = match (basic(request)?, client_id, client_secret) {
        (Some(_), _, Some(_)) => {
            return Err(OauthError::bad_request(
                "invalid_request",
                "Send the credentials either with HTTP Basic or as client_id and client_secret, \
                 not both.",
            ));
        }
        (Some(pair), _, None) => pair,
        (None, Some(name), Some(password)) => (name, password),
        (None, ..) => {
            return Err(OauthError::new(
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "Send the API client's name and password with HTTP Basic.",
            ));
        }
    };
    let client = credentials.check(&name, password, address).await?;
    Ok((form, client))
}

fn read(request: &HttpRequest, body: Body) -> Result<Form, OauthError> {
    if media_type(request) != "application/x-www-form-urlencoded" {
        return Err(OauthError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "invalid_request",
            "Content-Type must be application/x-www-form-urlencoded.",
        ));
    }
    received(body).map(Form).map_err(|problem| {
        OauthError::new(
            problem.status_code(),
            "invalid_request",
            problem.to_string(),
        )
    })
}

/// Reads name and password from `Authorization: Basic`. Both are form-encoded before the pair is
/// base64-encoded (RFC 6749, section 2.3.1).
fn basic(request: &HttpRequest) -> Result<Option<(String, SecretString)>, OauthError> {
    let Some(value) = request.headers().get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let decoded = value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .and_then(|(scheme, encoded)| {
            let pair = scheme
                .eq_ignore_ascii_case("Basic")
                .then(|| BASE64_STANDARD.decode(encoded.trim()).ok())??;
            let pair = String::from_utf8(pair).ok()?;
            let (name, password) = pair.split_once(':')?;
            Some((unescape(name)?, SecretString::from(unescape(password)?)))
        });
    decoded.map(Some).ok_or_else(|| {
        OauthError::new(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "Authorization must be Basic with the API client's name and password.",
        )
    })
}

fn unescape(text: &str) -> Option<String> {
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(&format!("value={}", text.replace('&', "%26"))).ok()?;
    pairs.into_iter().next().map(|(_, value)| value)
}
