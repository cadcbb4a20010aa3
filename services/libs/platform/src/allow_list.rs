//! Token allow-list in Redis. A token whose `jti` is not in the list is rejected.

use redis::{
    AsyncCommands, Client, IntoConnectionInfo, RedisConnectionInfo, RedisError,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use secrecy::ExposeSecret;
use tokio::runtime::Handle;

use crate::{
    health,
    settings::{self, read_secret},
};

/// Redis does not answer. The cause is in the log.
#[derive(Debug, thiserror::Error)]
#[error("the token store does not answer")]
pub struct UnavailableError;

/// Client of the token allow-list.
#[derive(Clone)]
pub struct AllowList {
    connection: ConnectionManager,
    wait: std::time::Duration,
    /// Runtime that drives the connection. A connection driven by the runtime of an HTTP worker
    /// would end with the worker.
    runtime: Handle,
}

impl AllowList {
    /// Creates a client. It connects when the first command is sent, and reconnects when the
    /// connection is lost.
    ///
    /// # Errors
    /// The password file cannot be read, or the address is invalid.
    pub fn new(settings: &settings::Redis) -> Result<Self, Box<dyn std::error::Error>> {
        let password = read_secret(&settings.password_file)?;
        let login = RedisConnectionInfo::default()
            .set_username(&settings.user)
            .set_password(password.expose_secret());
        let address = (settings.host.as_str(), settings.port)
            .into_connection_info()?
            .set_redis_settings(login);
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(settings.wait()))
            .set_response_timeout(Some(settings.wait()));
        let connection = ConnectionManager::new_lazy_with_config(Client::open(address)?, config)?;
        Ok(Self {
            connection,
            wait: settings.wait(),
            runtime: Handle::current(),
        })
    }

    /// Adds a token, which expires after `seconds`.
    ///
    /// # Errors
    /// Redis does not answer.
    #[tracing::instrument(name = "redis.add", skip_all)]
    pub async fn add(&self, jti: &str, client: &str, seconds: u64) -> Result<(), UnavailableError> {
        let (key, client) = (key(jti), client.to_owned());
        self.ask(move |mut redis| {
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
        self.ask(move |mut redis| {
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
        self.ask(move |mut redis| {
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

    /// Sends a command, and sends it again if the connection was lost. All commands are idempotent.
    ///
    /// The total time is limited to twice the time of one step, because the name of a stopped
    /// container may take long to resolve.
    async fn ask<T, A, F>(&self, command: F) -> Result<T, UnavailableError>
    where
        T: Send + 'static,
        A: Future<Output = Result<T, RedisError>> + Send,
        F: Fn(ConnectionManager) -> A + Send + Sync + 'static,
    {
        let failed = |error: &dyn std::error::Error| {
            tracing::error!(%error, "Redis command failed");
            UnavailableError
        };
        let connection = self.connection.clone();
        let attempts = async move {
            match command(connection.clone()).await {
                // The command that finds the connection lost fails and starts a new connection.
                Err(error) if error.is_io_error() => command(connection).await,
                response => response,
            }
        };
        let response = tokio::time::timeout(self.wait * 2, self.runtime.spawn(attempts)).await;
        response
            .map_err(|error| failed(&error))?
            .map_err(|error| failed(&error))?
            .map_err(|error| failed(&error))
    }
}

fn key(jti: &str) -> String {
    format!("token:{jti}")
}
