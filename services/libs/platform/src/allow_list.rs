//! Token allow-list in Redis. A token whose `jti` is not in the list is rejected.

use redis::AsyncCommands;

pub use crate::redis::UnavailableError;
use crate::{health, redis::Redis, settings};

/// Client of the token allow-list.
#[derive(Clone)]
pub struct AllowList(Redis);

impl AllowList {
    /// Creates a client. See [`Redis::new`].
    ///
    /// # Errors
    /// The password file cannot be read, or the address is invalid.
    pub fn new(settings: &settings::Redis) -> Result<Self, Box<dyn std::error::Error>> {
        Redis::new(settings).map(Self)
    }

    /// Adds a token, which expires after `seconds`.
    ///
    /// # Errors
    /// Redis does not answer.
    #[tracing::instrument(name = "redis.add", skip_all)]
    pub async fn add(&self, jti: &str, client: &str, seconds: u64) -> Result<(), UnavailableError> {
        let (key, client) = (key(jti), client.to_owned());
        self.0
            .ask(move |mut redis| {
                let (key, client) = (key.clone(), client.clone());
                async move { redis.set_ex(key, client, seconds).await }
            })
            .await
    }

    /// Returns true if a token is active.
    ///
    /// # Errors
    /// Redis does not answer.
    #[tracing::instrument(name = "redis.contains", skip_all)]
    pub async fn contains(&self, jti: &str) -> Result<bool, UnavailableError> {
        let key = key(jti);
        self.0
            .ask(move |mut redis| {
                let key = key.clone();
                async move { redis.exists(key).await }
            })
            .await
    }

    /// Removes a token, which is then revoked.
    ///
    /// # Errors
    /// Redis does not answer.
    #[tracing::instrument(name = "redis.remove", skip_all)]
    pub async fn remove(&self, jti: &str) -> Result<(), UnavailableError> {
        let key = key(jti);
        self.0
            .ask(move |mut redis| {
                let key = key.clone();
                async move { redis.del(key).await }
            })
            .await
    }

    /// Returns the health check of Redis.
    #[must_use]
    pub fn health(&self) -> health::Check {
        let allow_list = self.clone();
        health::check(move || {
            let allow_list = allow_list.clone();
            async move {
                let response = allow_list.contains("health").await;
                response.map(drop).map_err(|_| {
                    "redis does not answer: see scripts/status and the log of redis".into()
                })
            }
        })
    }
}

fn key(jti: &str) -> String {
    format!("token:{jti}")
}
