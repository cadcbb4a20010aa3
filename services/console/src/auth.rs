//! Signs API clients in by the service `auth`, so that its locks and delays hold for the console.

use std::{path::PathBuf, time::Duration};

use reqwest::{Response, StatusCode, Url, header};
use rollcall_platform::{replicas, settings};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// Maximum duration of a call. A sign-in may wait for a password hash.
const MAX_CALL: Duration = Duration::from_secs(10);

/// Reason why a sign-in fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInError {
    /// Name or password is wrong, or the API client is locked or disabled.
    Wrong,
    /// The address has too many sign-ins in flight, or too many failed ones.
    TooMany,
    /// `auth` or one of its dependencies does not answer. The cause is in the log.
    Unavailable,
}

/// Name and password of an API client, with the address of the visitor.
pub struct Credentials {
    /// Name of the API client.
    pub name: String,
    /// Password of the API client.
    pub password: SecretString,
    /// Address by which `auth` counts sign-ins.
    pub address: String,
}

/// Client of the service `auth`.
pub struct Auth {
    token: Url,
    revoke: Url,
    socket_directory: PathBuf,
}

#[derive(Deserialize)]
struct Issued {
    access_token: SecretString,
    scope: String,
}

impl Auth {
    /// Creates a client.
    ///
    /// # Errors
    /// `token.jwks_url` is not a URL.
    pub fn new(settings: &settings::Token) -> Result<Self, Box<dyn std::error::Error>> {
        let keys: Url = settings
            .jwks_url
            .parse()
            .map_err(|error| format!("token.jwks_url: {error}"))?;
        Ok(Self {
            token: keys.join("/oauth2/token")?,
            revoke: keys.join("/oauth2/revoke")?,
            socket_directory: settings.jwks_socket_directory.clone(),
        })
    }

    /// Signs in and returns the scopes of the API client, separated by spaces. The token that
    /// `auth` issues for this is revoked at once.
    ///
    /// # Errors
    /// The sign-in fails.
    pub async fn scopes(&self, credentials: &Credentials) -> Result<String, SignInError> {
        let grant = ("grant_type", "client_credentials");
        let response = self.post(&self.token, credentials, grant).await?;
        let issued: Issued = match response.status() {
            StatusCode::OK => response.json().await.map_err(unavailable)?,
            // 413: no password is that long.
            StatusCode::UNAUTHORIZED | StatusCode::PAYLOAD_TOO_LARGE => {
                return Err(SignInError::Wrong);
            }
            StatusCode::TOO_MANY_REQUESTS => return Err(SignInError::TooMany),
            status => return Err(unavailable(format!("auth answered {status}"))),
        };
        let token = ("token", issued.access_token.expose_secret());
        // A token that is not revoked expires within two minutes, and no one else has it.
        let _ = self.post(&self.revoke, credentials, token).await;
        Ok(issued.scope)
    }

    /// Sends a form with the credentials to the first replica that can be reached.
    async fn post(
        &self,
        url: &Url,
        credentials: &Credentials,
        parameter: (&str, &str),
    ) -> Result<Response, SignInError> {
        let form = [
            ("client_id", credentials.name.as_str()),
            ("client_secret", credentials.password.expose_secret()),
            parameter,
        ];
        let form = serde_urlencoded::to_string(form).map_err(unavailable)?;
        let clients = replicas::clients(&self.socket_directory, MAX_CALL).map_err(unavailable)?;
        for client in clients {
            let request = client
                .post(url.clone())
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header("x-forwarded-for", &credentials.address)
                .body(form.clone());
            match request.send().await {
                Ok(response) => return Ok(response),
                // Try another replica only if this one has not received the password.
                Err(error) if error.is_connect() => {
                    tracing::warn!(%error, "Failed to connect to a replica of auth");
                }
                Err(error) => return Err(unavailable(error)),
            }
        }
        Err(unavailable("no replica of auth answers"))
    }
}

fn unavailable(cause: impl std::fmt::Display) -> SignInError {
    tracing::error!(%cause, "Failed to sign a visitor in");
    SignInError::Unavailable
}
