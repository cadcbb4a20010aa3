//! Connections to PostgreSQL, and their errors.

use std::{sync::Arc, time::Duration};

use ::deadpool::managed::{PoolError, TimeoutType};
use diesel::{
    ConnectionError,
    result::{DatabaseErrorKind, Error as DieselError},
};
use diesel_async::{
    AsyncConnection, AsyncPgConnection,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
        deadpool::{self, Object},
    },
};
use futures::{FutureExt, future::BoxFuture};
use jiff::SignedDuration;
use rollcall_settings::{self as settings, read_secret};
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Handle;

use crate::recording::Writer;

/// A health check. An error says what is wrong and what to do.
pub type HealthCheck = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// A connection that is borrowed from the pool.
pub type Connection = Object<AsyncPgConnection>;

/// The server's message for a statement that exceeded `statement_timeout`. Diesel does not provide
/// the SQLSTATE.
const STATEMENT_TIMEOUT: &str = "canceling statement due to statement timeout";

/// Reason why the database gave no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be reached, or the connection was lost. A retry may succeed.
    #[error("the database is unreachable: {0}")]
    Unreachable(String),
    /// The server or a free connection took longer than the limit. A retry may succeed.
    #[error("the database took too long: {0}")]
    TooSlow(String),
    /// The database can be reached, but its migrations are missing.
    #[error("the database is not migrated: wait for the migrate service, or see its log")]
    NotMigrated,
    /// Any other error.
    #[error("the database failed: {0}")]
    Failed(DieselError),
}

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        use DatabaseErrorKind as Kind;
        match &error {
            DieselError::DatabaseError(
                Kind::ClosedConnection | Kind::UnableToSendCommand,
                information,
            ) => Self::Unreachable(information.message().to_owned()),
            DieselError::DatabaseError(_, information)
                if information.message() == STATEMENT_TIMEOUT =>
            {
                Self::TooSlow(information.message().to_owned())
            }
            _ => Self::Failed(error),
        }
    }
}

/// A connection on which rows of a result may still arrive. If it is dropped before the last row,
/// the connection is closed: the next caller would otherwise wait for the rest of these rows.
pub(crate) struct StreamConnection(Option<Connection>);

impl StreamConnection {
    pub(crate) fn new(connection: Connection) -> Self {
        Self(Some(connection))
    }

    pub(crate) fn connection(&mut self) -> Result<&mut Connection, DieselError> {
        self.0.as_mut().ok_or(DieselError::NotFound)
    }

    /// Returns the connection to the pool after the last row.
    pub(crate) fn finish(mut self) {
        drop(self.0.take());
    }
}

impl Drop for StreamConnection {
    fn drop(&mut self) {
        drop(self.0.take().map(Object::take));
    }
}

/// Connections of one service's database role.
#[derive(Clone)]
pub struct Pool {
    inner: deadpool::Pool<AsyncPgConnection>,
    config: tokio_postgres::Config,
    wait: Duration,
}

impl Pool {
    /// Creates a pool. It connects when a connection is first needed. The connections live in the
    /// runtime that calls this function: connections of the runtime of an HTTP worker would end
    /// with that worker, while other workers still use them.
    ///
    /// # Errors
    /// The password file cannot be read.
    pub fn new(settings: &settings::Database) -> Result<Self, Box<dyn std::error::Error>> {
        Self::with_options(settings, settings.connections, "")
    }

    /// Creates a pool for statements whose results are streamed. They may take up to
    /// `statement_limit`, which takes precedence over the limit of the role.
    ///
    /// # Errors
    /// The password file cannot be read.
    pub fn for_streams(
        settings: &settings::Database,
        connections: usize,
        statement_limit: Duration,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let options = format!("-c statement_timeout={}", statement_limit.as_millis());
        Self::with_options(settings, connections, &options)
    }

    fn with_options(
        settings: &settings::Database,
        connections: usize,
        options: &str,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let runtime = Handle::current();
        let mut config = ManagerConfig::default();
        // A closed connection is noticed without asking the server first.
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(move |address| {
            let address = address.to_owned();
            let connecting =
                runtime.spawn(async move { AsyncPgConnection::establish(&address).await });
            async move {
                connecting
                    .await
                    .unwrap_or_else(|error| Err(ConnectionError::BadConnection(error.to_string())))
            }
            .boxed()
        });
        let address = address(settings, options)?;
        let manager =
            AsyncDieselConnectionManager::new_with_config(address.expose_secret(), config);
        let wait = Duration::from_millis(settings.wait_milliseconds);
        let inner = deadpool::Pool::builder(manager)
            .max_size(connections)
            // Reuse the connection that was returned last, because the caches of its server
            // process are still warm.
            .queue_mode(::deadpool::managed::QueueMode::Lifo)
            .wait_timeout(Some(wait))
            .create_timeout(Some(wait))
            .recycle_timeout(Some(wait))
            .runtime(::deadpool::Runtime::Tokio1)
            .build()?;
        let config = address.expose_secret().parse()?;
        Ok(Self {
            inner,
            config,
            wait,
        })
    }

    /// Returns a connection, which goes back to the pool when it is dropped.
    ///
    /// # Errors
    /// No connection became free or could be opened within `wait_milliseconds`.
    pub async fn get(&self) -> Result<Connection, Error> {
        self.inner.get().await.map_err(|error| match error {
            PoolError::Timeout(TimeoutType::Wait) => {
                Error::TooSlow("no connection became free in time".into())
            }
            error => Error::Unreachable(error.to_string()),
        })
    }

    /// Runs `query` on a connection of the pool and returns its result. A query that takes longer
    /// than `wait_milliseconds` is abandoned and its connection closed, so that callers do not hang
    /// with the server.
    ///
    /// # Errors
    /// [`Error::TooSlow`] after the wait, otherwise the error of the connection or of the query.
    pub async fn ask<T, E, F>(&self, query: F) -> Result<T, Error>
    where
        F: AsyncFnOnce(&mut AsyncPgConnection) -> Result<T, E>,
        Error: From<E>,
    {
        self.ask_within(self.wait, query).await
    }

    /// Runs `query` like [`ask`](Self::ask), but with another time limit.
    ///
    /// # Errors
    /// [`Error::TooSlow`] after the limit, otherwise the error of the connection or of the query.
    pub async fn ask_within<T, E, F>(&self, limit: Duration, query: F) -> Result<T, Error>
    where
        F: AsyncFnOnce(&mut AsyncPgConnection) -> Result<T, E>,
        Error: From<E>,
    {
        let mut connection = self.get().await?;
        if let Ok(answer) = tokio::time::timeout(limit, query(&mut connection)).await {
            return Ok(answer?);
        }
        drop(Object::take(connection));
        Err(Error::TooSlow(format!(
            "it did not answer within {} ms",
            limit.as_millis()
        )))
    }

    /// Creates a writer, which has its own connection outside the pool. A session with a
    /// correlation key ends after a silence of `session_timeout`.
    #[must_use]
    pub fn writer(&self, session_timeout: SignedDuration) -> Writer {
        Writer::new(self.config.clone(), self.wait, session_timeout)
    }

    /// Returns a health check: the database is reachable and migrated.
    #[must_use]
    pub fn health(&self) -> HealthCheck {
        let pool = self.clone();
        Arc::new(move || pool.clone().check_health().boxed())
    }

    async fn check_health(self) -> Result<(), String> {
        match self.ask(crate::migrations::are_current).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::NotMigrated.to_string()),
            Err(error) => Err(format!(
                "{error}. See scripts/status and the log of postgres."
            )),
        }
    }

    /// Returns [`Error::NotMigrated`] if missing migrations may be the cause of `error`. Otherwise
    /// returns `error`.
    pub async fn explain(&self, error: Error) -> Error {
        match &error {
            Error::Failed(_)
                if matches!(self.ask(crate::migrations::are_current).await, Ok(false)) =>
            {
                Error::NotMigrated
            }
            _ => error,
        }
    }
}

/// Returns the connection string in the keyword form of libpq, in which only backslash and quote
/// must be escaped.
fn address(settings: &settings::Database, options: &str) -> std::io::Result<SecretString> {
    let password = read_secret(&settings.password_file)?;
    let quote = |value: &str| value.replace('\\', r"\\").replace('\'', r"\'");
    // A server that vanishes without a word is noticed after 10 + 3 x 5 seconds. With the defaults
    // of Linux a report would wait for its next row for more than ten minutes.
    Ok(SecretString::from(format!(
        "host='{}' port={} dbname='{}' user='{}' password='{}' connect_timeout=3 \
         keepalives_idle=10 keepalives_interval=5 keepalives_retries=3 options='{options}'",
        quote(&settings.host),
        settings.port,
        quote(&settings.name),
        quote(&settings.user),
        quote(password.expose_secret()),
    )))
}
