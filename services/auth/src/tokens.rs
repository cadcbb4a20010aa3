//! Issues, introspects and revokes access tokens.

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

/// Reason why a token operation failed.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Redis does not answer. A token that is not in the allow-list would be rejected.
    #[error("No token can be issued now: the token store does not answer. Repeat the call.")]
    Unavailable(#[from] UnavailableError),
    /// The signing key cannot be used.
    #[error("signing failed: {0}")]
    Signing(String),
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Unavailable(_) => Self::unavailable(error.to_string()),
            TokenError::Signing(_) => Self::internal(&error),
        }
    }
}

/// Issues tokens, and decides which tokens are active.
pub struct Tokens {
    keys: Arc<Keys>,
    allow_list: AllowList,
    /// Permits to sign, one per core, so that a burst does not start hundreds of threads.
    signing: Arc<Semaphore>,
    validation: Validation,
    settings: settings::Token,
    clock: Clock,
}

impl Tokens {
    /// Creates an issuer of tokens with these settings.
    #[must_use]
    pub fn new(keys: Keys, allow_list: AllowList, settings: settings::Token, clock: Clock) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            keys: Arc::new(keys),
            allow_list,
            signing: Arc::new(Semaphore::new(cores)),
            validation: token::validation(&settings),
            settings,
            clock,
        }
    }

    /// Returns issuer, audience and lifetime of the tokens.
    #[must_use]
    pub fn settings(&self) -> &settings::Token {
        &self.settings
    }

    /// Issues a token for `client` with `scope`. Earlier tokens remain valid.
    ///
    /// # Errors
    /// Redis does not answer, or the signing key cannot be used.
    #[tracing::instrument(name = "token.issue", skip_all)]
    pub async fn issue(&self, client: &Client, scope: &str) -> Result<String, TokenError> {
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
        let token = self.sign(claims).await.map_err(TokenError::Signing)?;
        self.allow_list
            .add(&jti, &client.name, self.settings.lifetime_seconds.into())
            .await?;
        Ok(token)
    }

    /// Returns the public keys.
    ///
    /// # Errors
    /// The key folder cannot be read.
    pub fn published(&self) -> Result<JwkSet, TokenError> {
        self.keys
            .published(self.clock.now().as_second())
            .map_err(|error| TokenError::Signing(error.to_string()))
    }

    /// Returns the claims of an active token, or `None` if the token is expired, revoked or
    /// invalid.
    ///
    /// # Errors
    /// Redis does not answer.
    pub async fn introspect(&self, token: &str) -> Result<Option<Claims>, TokenError> {
        let Some(claims) = self.claims(token) else {
            return Ok(None);
        };
        let is_active = self.allow_list.contains(&claims.jti).await?;
        Ok(is_active.then_some(claims))
    }

    /// Revokes a token of `client` and returns its claims. Returns `None` if the token is invalid,
    /// expired or belongs to another client.
    ///
    /// # Errors
    /// Redis does not answer.
    pub async fn revoke(&self, token: &str, client: &Client) -> Result<Option<Claims>, TokenError> {
        let own = |claims: &Claims| claims.sub == client.name;
        let Some(claims) = self.claims(token).filter(own) else {
            return Ok(None);
        };
        self.allow_list.remove(&claims.jti).await?;
        Ok(Some(claims))
    }

    /// Signs the claims in another thread, because a signature takes longer than the rest of the
    /// request.
    #[tracing::instrument(name = "token.sign", skip_all)]
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
