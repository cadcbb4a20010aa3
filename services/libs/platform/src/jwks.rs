//! Public keys of tokens (JWKS, RFC 7517). The keys are fetched from `auth` and cached. A token
//! with an unknown `kid` makes the cache fetch the keys again.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use jsonwebtoken::{DecodingKey, jwk::JwkSet};
use tokio::sync::{Mutex, RwLock};

use crate::{health, replicas, settings};

/// Minimum time between two fetches. Tokens with an unknown `kid` must not flood `auth`.
const MIN_FETCH_INTERVAL: Duration = Duration::from_secs(1);
/// Maximum duration of a fetch.
const MAX_FETCH: Duration = Duration::from_secs(2);

/// The key is not cached and the keys cannot be fetched. The cause is in the log.
#[derive(Debug, thiserror::Error)]
#[error("the token keys cannot be fetched")]
pub struct UnavailableError;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Keys = HashMap<String, DecodingKey>;

/// Cache of the keys by `kid`.
#[derive(Clone)]
pub struct Jwks {
    url: String,
    socket_directory: PathBuf,
    keys: Arc<RwLock<Keys>>,
    fetched: Arc<Mutex<Option<Instant>>>,
}

impl Jwks {
    /// Creates an empty cache. The keys are fetched when the first key is needed.
    #[must_use]
    pub fn new(settings: &settings::Token) -> Self {
        Self {
            url: settings.jwks_url.clone(),
            socket_directory: settings.jwks_socket_directory.clone(),
            keys: Arc::default(),
            fetched: Arc::default(),
        }
    }

    /// Returns the key with this `kid`, or `None` if `auth` publishes no such key.
    ///
    /// # Errors
    /// The key is not cached and the keys cannot be fetched.
    pub async fn key(&self, kid: &str) -> Result<Option<DecodingKey>, UnavailableError> {
        if let Some(key) = self.keys.read().await.get(kid) {
            return Ok(Some(key.clone()));
        }
        // Only one fetch runs at a time. Callers that waited for the lock use its result.
        let mut fetched = self.fetched.lock().await;
        let is_recent = fetched.is_some_and(|at| at.elapsed() < MIN_FETCH_INTERVAL);
        if !is_recent {
            let keys = self.fetch().await.map_err(|error| {
                tracing::error!(%error, url = self.url, "Failed to fetch the token keys");
                UnavailableError
            })?;
            *self.keys.write().await = keys;
            *fetched = Some(Instant::now());
        }
        Ok(self.keys.read().await.get(kid).cloned())
    }

    /// Returns the health check of the key cache.
    #[must_use]
    pub fn health(&self) -> health::Check {
        let jwks = self.clone();
        health::check(move || {
            let jwks = jwks.clone();
            async move {
                let is_known = !jwks.keys.read().await.is_empty();
                if is_known || jwks.key("").await.is_ok() {
                    Ok(())
                } else {
                    Err("auth does not answer: see scripts/status and the log of auth".into())
                }
            }
        })
    }

    /// Fetches the keys from the first replica of `auth` that answers.
    async fn fetch(&self) -> Result<Keys, Failure> {
        let mut failure = Failure::from(format!(
            "no socket of auth in {}",
            self.socket_directory.display()
        ));
        for client in replicas::clients(&self.socket_directory, MAX_FETCH)? {
            match self.fetch_by(client).await {
                Ok(keys) => return Ok(keys),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    async fn fetch_by(&self, client: reqwest::Client) -> Result<Keys, Failure> {
        let mut headers = reqwest::header::HeaderMap::new();
        opentelemetry::global::get_text_map_propagator(|propagator| {
            use tracing_opentelemetry::OpenTelemetrySpanExt;
            propagator.inject_context(
                &tracing::Span::current().context(),
                &mut Injector(&mut headers),
            );
        });
        let set: JwkSet = client
            .get(&self.url)
            .headers(headers)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        let named = set
            .keys
            .iter()
            .filter_map(|jwk| Some((jwk.common.key_id.clone()?, DecodingKey::from_jwk(jwk).ok()?)));
        Ok(named.collect())
    }
}

struct Injector<'a>(&'a mut reqwest::header::HeaderMap);

impl opentelemetry::propagation::Injector for Injector<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) =
            (reqwest::header::HeaderName::try_from(key), value.try_into())
        {
            self.0.insert(name, value);
        }
    }
}
