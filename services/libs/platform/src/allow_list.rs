//! The tokens that are alive, in Redis: an allow-list, so that what Redis does not know is refused.

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

/// Redis cannot be asked; its cause is in the log.
#[derive(Debug, thiserror::Error)]
#[error("the token store does not answer")]
pub struct Unavailable;

/// The allow-list.
#[derive(Clone)]
pub struct AllowList {
    connection: ConnectionManager,
    wait: std::time::Duration,
    /// Connections live in this runtime: those of an HTTP worker would end with the worker.
    runtime: Handle,
}

impl AllowList {
    /// Prepares a connection; it is made when it is first needed, and anew after every cut.
    ///
    /// # Errors
    /// The password file cannot be read, or the address is none.
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

    /// Lets a token live for so many seconds.
    ///
    /// # Errors
    /// Redis cannot be asked.
    pub async fn add(&self, jti: &str, client: &str, seconds: u64) -> Result<(), Unavailable> {
        let (key, client) = (key(jti), client.to_owned());
        self.ask(move |mut redis| {
            let (key, client) = (key.clone(), client.clone());
            async move { redis.set_ex(key, client, seconds).await }
        })
        .await
    }

    /// Whether a token lives.
    ///
    /// # Errors
    /// Redis cannot be asked.
    pub async fn contains(&self, jti: &str) -> Result<bool, Unavailable> {
        let key = key(jti);
        self.ask(move |mut redis| {
            let key = key.clone();
            async move { redis.exists(key).await }
        })
        .await
    }

    /// Ends a token.
    ///
    /// # Errors
    /// Redis cannot be asked.
    pub async fn remove(&self, jti: &str) -> Result<(), Unavailable> {
        let key = key(jti);
        self.ask(move |mut redis| {
            let key = key.clone();
            async move { redis.del(key).await }
        })
        .await
    }

    /// A health check.
    #[must_use]
    pub fn health(&self) -> health::Check {
        let live = self.clone();
        health::check(move || {
            let live = live.clone();
            async move {
                let answer = live.contains("health").await;
                answer.map(drop).map_err(|_| {
                    "redis does not answer: see scripts/status and the log of redis".into()
                })
            }
        })
    }

    /// The name of a stopped container may take long to resolve, so the whole is bounded, twice
    /// the time of one step. Every command here can be repeated.
    async fn ask<T, A, F>(&self, command: F) -> Result<T, Unavailable>
    where
        T: Send + 'static,
        A: Future<Output = Result<T, RedisError>> + Send,
        F: Fn(ConnectionManager) -> A + Send + Sync + 'static,
    {
        let failed = |error: &dyn std::error::Error| {
            tracing::error!(%error, "redis failed");
            Unavailable
        };
        let connection = self.connection.clone();
        let twice = async move {
            match command(connection.clone()).await {
                // The first to find the connection broken only has it made anew.
                Err(error) if error.is_io_error() => command(connection).await,
                answer => answer,
            }
        };
        let answer = tokio::time::timeout(self.wait * 2, self.runtime.spawn(twice)).await;
        answer
            .map_err(|error| failed(&error))?
            .map_err(|error| failed(&error))?
            .map_err(|error| failed(&error))
    }
}

fn key(jti: &str) -> String {
    format!("token:{jti}")
}
