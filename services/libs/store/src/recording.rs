//! Connections that record events. They use tokio-postgres directly, because diesel does not
//! provide the SQLSTATE of an error. The SQLSTATE determines whether an event or the database is
//! the cause: see [`Failure`].

use std::{collections::HashMap, time::Duration};

use tokio::time::timeout;
use tokio_postgres::{Client, Config, Error, NoTls, Row, types::ToSql};

use crate::{failure::Failure, statement::Statement};

/// A connection that records events.
pub struct Recording {
    client: Client,
    /// Prepared statements by their text.
    prepared: HashMap<String, tokio_postgres::Statement>,
}

impl Recording {
    /// Connects. The connection lives in the runtime that this is called in.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn connect(config: &Config) -> Result<Self, Error> {
        let (client, connection) = config.connect(NoTls).await?;
        // An error of the connection is also returned by the statement that was running.
        tokio::spawn(connection);
        Ok(Self {
            client,
            prepared: HashMap::new(),
        })
    }

    pub(crate) async fn execute(&mut self, statement: &Statement<'_>) -> Result<(), Error> {
        self.query(statement).await.map(drop)
    }

    pub(crate) async fn query(&mut self, statement: &Statement<'_>) -> Result<Vec<Row>, Error> {
        let text = statement.text();
        let prepared = match self.prepared.get(&text) {
            Some(prepared) => prepared.clone(),
            None => self.prepare(text, statement).await?,
        };
        let values: Vec<&(dyn ToSql + Sync)> = statement
            .columns()
            .map(|column| &*column.values as &(dyn ToSql + Sync))
            .collect();
        self.client.query(&prepared, &values).await
    }

    async fn prepare(
        &mut self,
        text: String,
        statement: &Statement<'_>,
    ) -> Result<tokio_postgres::Statement, Error> {
        let types: Vec<_> = statement
            .columns()
            .map(|column| column.sql_type.clone())
            .collect();
        let prepared = self.client.prepare_typed(&text, &types).await?;
        self.prepared.insert(text, prepared.clone());
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
}

impl Writer {
    pub(crate) fn new(config: Config, wait: Duration) -> Self {
        Self {
            config,
            wait,
            connection: None,
        }
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
                None => Recording::connect(&self.config).await?,
            };
            let outcome = work(&mut connection).await.map_err(Failure::from);
            Ok((connection, outcome))
        });
        let asked: Result<_, Error> = asked
            .await
            .map_err(|_| Failure::Unavailable("it did not answer in time".into()))?;
        // Whatever keeps a connection from being made is no fault of an event.
        let (connection, outcome) =
            asked.map_err(|error| Failure::Unavailable(error.to_string()))?;
        if !matches!(outcome, Err(Failure::Unavailable(_))) {
            self.connection = Some(connection);
        }
        outcome
    }
}
