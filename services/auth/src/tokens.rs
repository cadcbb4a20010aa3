//! Issuing, introspecting and revoking access tokens.

use jsonwebtoken::{Validation, jwk::JwkSet};
use rollcall_platform::{
    allow_list::{AllowList, UnavailableError},
    clock::Clock,
    envelope::Problem,
    settings,
    token::{self, Claims},
};
use std::{num::NonZero, sync::Arc};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::{credentials::Client, keys::Keys};

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Redis cannot be asked: a token that it does not know would be refused at once.
    #[error("No token can be issued now: the token store does not answer. Repeat the call.")]
    UnavailableError(#[from] UnavailableError),
    /// The key cannot be used.
    #[error("signing failed: {0}")]
    Signing(String),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::UnavailableError(_) => Self::unavailable(error.to_string()),
            Error::Signing(_) => Self::internal(&error),
        }
    }
}

/// Makes tokens and knows those that live.
pub struct Tokens {
    keys: Arc<Keys>,
    live: AllowList,
    /// Permits to sign, one per core, so that a burst does not start hundreds of threads.
    signing: Arc<Semaphore>,
    validation: Validation,
    settings: settings::Token,
    clock: Clock,
}

impl Tokens {
    /// Tokens as `settings` describe them.
    #[must_use]
    pub fn new(keys: Keys, live: AllowList, settings: settings::Token, clock: Clock) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            keys: Arc::new(keys),
            live,
            signing: Arc::new(Semaphore::new(cores)),
            validation: token::validation(&settings),
            settings,
            clock,
        }
    }

    /// How the tokens are described to others.
    #[must_use]
    pub fn settings(&self) -> &settings::Token {
        &self.settings
    }

    /// A new token for `client` with `scope`; the earlier ones stay valid.
    ///
    /// # Errors
    /// Redis or the key cannot be used.
    pub async fn issue(&self, client: &Client, scope: &str) -> Result<String, Error> {
        let now = self.clock.now().as_second();
        let claims = Claims {
            iss: self.settings.issuer.clone(),
            sub: client.name.clone(),
            aud: self.settings.audience.clone(),
            iat: now,
            nbf: now,
            exp: now + i64::from(self.settings.lifetime_seconds),
            jti: Uuid::new_v4().to_string(),
            scope: scope.to_owned(),
        };
        let jti = claims.jti.clone();
        let token = self.sign(claims).await.map_err(Error::Signing)?;
        self.live
            .add(&jti, &client.name, self.settings.lifetime_seconds.into())
            .await?;
        Ok(token)
    }

    /// The public keys.
    ///
    /// # Errors
    /// The key folder cannot be read.
    pub fn published(&self) -> Result<JwkSet, Error> {
        self.keys
            .published(self.clock.now().as_second())
            .map_err(|error| Error::Signing(error.to_string()))
    }

    /// The claims of a token that is alive; none for any other.
    ///
    /// # Errors
    /// Redis cannot be asked.
    pub async fn introspect(&self, token: &str) -> Result<Option<Claims>, Error> {
        let Some(claims) = self.claims(token) else {
            return Ok(None);
        };
        Ok(self.live.contains(&claims.jti).await?.then_some(claims))
    }

    /// Revokes a token of `client` and returns its claims. Returns `None` if the token is invalid,
    /// expired or belongs to another client.
    ///
    /// # Errors
    /// Redis cannot be asked.
    pub async fn revoke(&self, token: &str, client: &Client) -> Result<Option<Claims>, Error> {
        let own = |claims: &Claims| claims.sub == client.name;
        let Some(claims) = self.claims(token).filter(own) else {
            return Ok(None);
        };
        self.live.remove(&claims.jti).await?;
        Ok(Some(claims))
    }

    /// Signs in another thread, because a signature takes longer than the rest of the request.
    async fn sign(&self, claims: Claims) -> Result<String, String> {
        let permit = self.signing.clone().acquire_owned().await;
        let keys = self.keys.clone();
        let signing = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let key = keys
                .signing(claims.iat)
                .map_err(|error| error.to_string())?;
            key.sign(&claims).map_err(|error| error.to_string())
        });
        signing.await.map_err(|error| error.to_string())?
    }

    fn claims(&self, token: &str) -> Option<Claims> {
        let key = self.keys.verifying(&token::key_id(token).ok()?)?;
        token::check(token, &key, &self.validation, &self.clock).ok()
    }
}
