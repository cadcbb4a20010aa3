//! The public keys (RFC 7517), fetched from `auth`, kept, and fetched again for a `kid` not seen before.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use jsonwebtoken::{DecodingKey, jwk::JwkSet};
use tokio::sync::{Mutex, RwLock};

use crate::{health, settings, socket};

/// A foreign `kid` must not make this service flood `auth`.
const PAUSE: Duration = Duration::from_secs(1);

/// The keys are not known and cannot be fetched; the cause is in the log.
#[derive(Debug, thiserror::Error)]
#[error("the token keys cannot be fetched")]
pub struct Unavailable;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Keys = HashMap<String, DecodingKey>;

/// The keys by `kid`.
#[derive(Clone)]
pub struct Jwks {
    url: String,
    socket_directory: PathBuf,
    keys: Arc<RwLock<Keys>>,
    fetched: Arc<Mutex<Option<Instant>>>,
}

impl Jwks {
    /// Creates an empty set. The keys are fetched when one is first needed.
    #[must_use]
    pub fn new(settings: &settings::Token) -> Self {
        Self {
            url: settings.jwks_url.clone(),
            socket_directory: settings.jwks_socket_directory.clone(),
            keys: Arc::default(),
            fetched: Arc::default(),
        }
    }

    /// The key named `kid`; none when there is no such key.
    ///
    /// # Errors
    /// The key is not known and the keys cannot be fetched.
    pub async fn key(&self, kid: &str) -> Result<Option<DecodingKey>, Unavailable> {
        if let Some(key) = self.keys.read().await.get(kid) {
            return Ok(Some(key.clone()));
        }
        // One fetch at a time: whoever waited finds what the first one brought.
        let mut fetched = self.fetched.lock().await;
        let recently = fetched.is_some_and(|at| at.elapsed() < PAUSE);
        if !recently {
            let keys = self.fetch().await.map_err(|error| {
                tracing::error!(%error, url = self.url, "fetching the token keys failed");
                Unavailable
            })?;
            *self.keys.write().await = keys;
            *fetched = Some(Instant::now());
        }
        Ok(self.keys.read().await.get(kid).cloned())
    }

    /// A health check.
    #[must_use]
    pub fn health(&self) -> health::Check {
        let jwks = self.clone();
        health::check(move || {
            let jwks = jwks.clone();
            async move {
                let known = !jwks.keys.read().await.is_empty();
                if known || jwks.key("").await.is_ok() {
                    Ok(())
                } else {
                    Err("auth does not answer: see scripts/status and the log of auth".into())
                }
            }
        })
    }

    /// Fetches the keys from the first replica of `auth` that answers.
    async fn fetch(&self) -> Result<Keys, Failure> {
        if self.socket_directory.as_os_str().is_empty() {
            return self.fetch_by(client(None)?).await;
        }
        let mut failure = Failure::from(format!(
            "no socket of auth in {}",
            self.socket_directory.display()
        ));
        for path in socket::find(&self.socket_directory, "http")? {
            match self.fetch_by(client(Some(&path))?).await {
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

/// Creates an HTTP client for one fetch. Keys are fetched too rarely to keep a connection open.
fn client(socket: Option<&Path>) -> Result<reqwest::Client, reqwest::Error> {
    let builder = reqwest::Client::builder()
        .timeout(Duration::from_secs(2))
        .connect_timeout(Duration::from_secs(1));
    match socket {
        Some(path) => builder.unix_socket(path),
        None => builder,
    }
    .build()
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
