//! Connections that record events. They use tokio-postgres directly, because diesel does not
//! provide the SQLSTATE of an error. The SQLSTATE determines whether an event or the database is
//! the cause: see [`Failure`].

use std::{collections::HashMap, time::Duration};

use jiff::SignedDuration;
use tokio::time::timeout;
use tokio_postgres::{Client, Config, Error, NoTls, Row, Statement, types::ToSql};

use crate::{
    failure::Failure,
    persons::{KnownPersons, known_persons},
};

/// Parameters of a statement, in order.
pub(crate) type Parameters<'a> = Vec<Box<dyn ToSql + Send + Sync + 'a>>;

/// Creates a parameter that is an array: one column of several rows.
pub(crate) fn array<'a, T: ToSql + Send + Sync + 'a>(
    values: impl Iterator<Item = T>,
) -> Box<dyn ToSql + Send + Sync + 'a> {
    Box::new(values.collect::<Vec<_>>())
}

/// A connection that records events.
pub struct Recording {
    client: Client,
    /// Prepared statements by their text.
    prepared: HashMap<&'static str, Statement>,
    pub(crate) known_persons: KnownPersons,
    /// Silence after which a session with a correlation key has ended.
    pub(crate) session_timeout: SignedDuration,
}

impl Recording {
    /// Connects. The connection lives in the runtime that this is called in.
    ///
    /// # Errors
    /// The database cannot be reached.
    async fn connect(
        config: &Config,
        known_persons: KnownPersons,
        session_timeout: SignedDuration,
    ) -> Result<Self, Error> {
        let (client, connection) = config.connect(NoTls).await?;
        // An error of the connection is also returned by the statement that was running.
        tokio::spawn(connection);
        Ok(Self {
            client,
            prepared: HashMap::new(),
            known_persons,
            session_timeout,
        })
    }

    /// Executes a statement, which is prepared once for each connection.
    pub(crate) async fn query(
        &mut self,
        statement: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, Error> {
        let prepared = self.prepare(statement).await?;
        self.client.query(&prepared, &references(&parameters)).await
    }

    /// Executes statements in one transaction, without waiting for one before the next is sent.
    /// Returns the first error; nothing is committed then.
    pub(crate) async fn commit(
        &mut self,
        statements: Vec<(&'static str, Parameters<'_>)>,
    ) -> Result<(), Error> {
        let mut prepared = Vec::new();
        for (statement, _) in &statements {
            prepared.push(self.prepare(statement).await?);
        }
        let client = &self.client;
        let executed =
            prepared
                .iter()
                .zip(&statements)
                .map(|(statement, (_, parameters))| async move {
                    client.execute(statement, &references(parameters)).await
                });
        // The client sends statements in the order in which their futures are first polled. After
        // an error the server ignores the rest, and COMMIT rolls back.
        let (_, executed, committed) = tokio::join!(
            client.batch_execute("BEGIN"),
            futures::future::join_all(executed),
            client.batch_execute("COMMIT"),
        );
        executed.into_iter().collect::<Result<Vec<_>, _>>()?;
        committed
    }

    async fn prepare(&mut self, statement: &'static str) -> Result<Statement, Error> {
        if let Some(prepared) = self.prepared.get(statement) {
            return Ok(prepared.clone());
        }
        let prepared = self.client.prepare(statement).await?;
        self.prepared.insert(statement, prepared.clone());
        Ok(prepared)
    }

    /// Executes a statement that is prepared each time, for statements that are rare.
    pub(crate) async fn query_once(
        &self,
        text: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        self.client.query(text, values).await
    }

    /// Runs `work` in a transaction, which is rolled back if `work` fails.
    pub(crate) async fn transaction<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.client.batch_execute("BEGIN").await?;
        let outcome = work(self).await;
        let end = if outcome.is_ok() {
            "COMMIT"
        } else {
            "ROLLBACK"
        };
        let ended = self.client.batch_execute(end).await;
        let value = outcome?;
        ended.map(|()| value)
    }
}

/// Uses one connection until it fails, then connects again.
pub struct Writer {
    config: Config,
    wait: Duration,
    connection: Option<Recording>,
    known_persons: KnownPersons,
    session_timeout: SignedDuration,
}

fn references<'a>(parameters: &'a Parameters<'_>) -> Vec<&'a (dyn ToSql + Sync)> {
    parameters
        .iter()
        .map(|parameter| &**parameter as &(dyn ToSql + Sync))
        .collect()
}

impl Writer {
    pub(crate) fn new(config: Config, wait: Duration, session_timeout: SignedDuration) -> Self {
        Self {
            config,
            wait,
            connection: None,
            known_persons: known_persons(),
            session_timeout,
        }
    }

    async fn connect(&self) -> Result<Recording, Error> {
        let known_persons = self.known_persons.clone();
        Recording::connect(&self.config, known_persons, self.session_timeout).await
    }

    /// Runs `work` with a time limit. A connection that failed is not used again.
    ///
    /// # Errors
    /// `work` fails or exceeds the limit, or the database cannot be reached.
    pub async fn ask<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Recording) -> Result<T, Error>,
    ) -> Result<T, Failure> {
        let known = self.connection.take();
        let asked = timeout(self.wait, async {
            let mut connection = match known.filter(|known| !known.client.is_closed()) {
                Some(known) => known,
                None => self.connect().await?,
            };
            let outcome = work(&mut connection).await.map_err(Failure::from);
            Ok((connection, outcome))
        });
        let asked: Result<_, Error> = asked
            .await
            .map_err(|_| Failure::Unavailable("the database did not answer in time".into()))?;
        // A connection that cannot be made is not the fault of an event.
        let (connection, outcome) =
            asked.map_err(|error| Failure::Unavailable(error.to_string()))?;
        if !matches!(outcome, Err(Failure::Unavailable(_))) {
            self.connection = Some(connection);
        }
        outcome
    }
}
