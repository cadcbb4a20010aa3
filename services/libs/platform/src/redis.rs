//! Client of Redis.

use std::time::Duration;

use redis::{
    Client, IntoConnectionInfo, RedisConnectionInfo, RedisError,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use secrecy::ExposeSecret;
use tokio::runtime::Handle;

use crate::settings::{self, read_secret};

/// Redis does not answer. The cause is in the log.
#[derive(Debug, thiserror::Error)]
#[error("Redis does not answer")]
pub struct UnavailableError;

/// Client of Redis, with the user of one service.
#[derive(Clone)]
pub struct Redis {
    connection: ConnectionManager,
    wait: Duration,
    /// Runtime that drives the connection. A connection driven by the runtime of an HTTP worker
    /// would end with the worker.
    runtime: Handle,
}

impl Redis {
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

    /// Sends a command, and sends it again if the connection was lost. The command must be
    /// idempotent.
    ///
    /// The total time is limited to twice the time of one step, because the name of a stopped
    /// container may take long to resolve.
    ///
    /// # Errors
    /// Redis does not answer.
    pub async fn ask<T, A, F>(&self, command: F) -> Result<T, UnavailableError>
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
