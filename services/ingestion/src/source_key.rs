//! Finds the source of a request by its source key.

use std::sync::Arc;

use actix_web::HttpRequest;
use moka::future::Cache;
use rollcall_credentials::source_keys;
use rollcall_platform::{envelope::Problem, request::bearer};
use rollcall_store::{
    Pool,
    sources::{self, SourceOfKey},
};

use crate::look_up_cache;

/// Looks up sources by source key.
pub struct SourceKeys {
    pool: Pool,
    known: Cache<Vec<u8>, Arc<SourceOfKey>>,
}

impl SourceKeys {
    /// Creates a look-up of the sources in `pool`.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        Self {
            pool,
            known: look_up_cache::new(),
        }
    }

    /// Returns the source whose key is the bearer token of the request.
    ///
    /// # Errors
    /// 401 for a missing or unknown key, 503 if the database does not answer.
    pub async fn source_of(&self, request: &HttpRequest) -> Result<Arc<SourceOfKey>, Problem> {
        let key = bearer(request).ok_or_else(|| {
            Problem::unauthorized(
                "The request has no source key. Send the header Authorization: Bearer with the \
                 key.",
            )
        })?;
        let hash = source_keys::hash(key);
        if let Some(source) = self.known.get(&hash).await {
            return Ok(source);
        }
        let source = Arc::new(self.look_up(&hash).await?);
        self.known.insert(hash, source.clone()).await;
        Ok(source)
    }

    async fn look_up(&self, hash: &[u8]) -> Result<SourceOfKey, Problem> {
        let source = self
            .pool
            .ask(async |connection| sources::by_key(connection, hash).await)
            .await
            .map_err(|error| {
                tracing::error!(%error, "Failed to look up a source key");
                Problem::unavailable(
                    "The source key cannot be checked at the moment: the database does not answer. \
                     Send the events again.",
                )
            })?;
        source.ok_or_else(|| {
            Problem::invalid_token(
                "The source key is unknown, or its source is disabled. The operator can rotate the \
                 key.",
            )
        })
    }
}
