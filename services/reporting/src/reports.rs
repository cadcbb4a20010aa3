//! Creates reports: acquires a permit if the report is a stream, writes the audit entry, and
//! queries the rows. A report is returned only after its first row has arrived, so that an error of
//! the query can still be answered with 503.

use std::{pin::Pin, thread::available_parallelism, time::Duration};

use actix_web::web::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use jiff::{civil, tz::TimeZone};
use rollcall_attendance::period::{Period, PeriodError};
use rollcall_platform::{clock::Clock, settings};
use rollcall_store::{
    Pool, audit_log,
    sessions::{self, Row, Selection},
};
use serde_json::Value;
use tokio::{runtime::Handle, sync::Semaphore};

use crate::streams::{
    feed::{CutError, Terms, feed},
    pace::Pace,
    permits::{LimitError, Permit, Permits},
    queue::Limits,
};

/// Maximum time until the first row of a stream. A large report is sorted before its first row
/// arrives. Together with the wait for a permit, this must be less than the 60 s that the reverse
/// proxy waits for a response.
const FIRST_ROW: Duration = Duration::from_secs(45);
/// Maximum time for a report that is read into memory. It is longer than the `statement_timeout` of
/// the role, so that the server ends a slow statement first.
const SHORT_REPORT: Duration = Duration::from_secs(12);
/// Maximum number of rows that are read into memory. A user name with more rows (one per realm) is
/// served as a stream.
const MAX_SHORT_ROWS: usize = 1_000;
/// Maximum number of waiting streams of a client, as a multiple of its running streams.
const WAITING_FOR_EACH_RUNNING: u32 = 3;

/// Rows of a report.
pub type Rows = Pin<Box<dyn Stream<Item = Result<Row, rollcall_store::Error>> + Send>>;

/// The body of a report.
pub type Body = Pin<Box<dyn Stream<Item = Result<Bytes, CutError>>>>;

/// A report whose first row has come.
pub struct Report {
    /// Rows of the report.
    pub rows: Rows,
    /// Permit to stream the rows. `None` if they are in memory.
    pub permit: Option<Permit>,
}

/// Reason why there is no report. The cause is in the log.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// KB008: the reporting database must be enabled.
    #[error("The reporting database is off. Ask the operator to set reporting.database_enabled.")]
    Off,
    /// The database does not answer.
    #[error(
        "The reporting database is unreachable. Repeat the call; on the gateway, scripts/status \
         says more."
    )]
    Unreachable,
    /// The database takes too long.
    #[error(
        "The reporting database took too long to answer. Repeat the call later, or ask for fewer \
         days."
    )]
    TooSlow,
    /// The database lacks migrations.
    #[error(
        "The reporting database is not yet migrated. Repeat the call when the gateway has \
         finished its update."
    )]
    NotMigrated,
    /// The API client is disabled or gone: its tokens have ended.
    #[error("The API client is disabled.")]
    ClientDisabled,
    /// The API client has the maximum number of streams.
    #[error(
        "This API client has {0} large reports running already. Wait as Retry-After says, then \
         repeat the call."
    )]
    TooManyOfClient(u32),
    /// All clients together have the maximum number of streams.
    #[error(
        "There are {0} large reports running already. Wait as Retry-After says, then repeat the \
         call."
    )]
    TooMany(u32),
}

impl From<rollcall_store::Error> for Unavailable {
    fn from(error: rollcall_store::Error) -> Self {
        tracing::error!(%error, "Failed to create a report");
        match error {
            rollcall_store::Error::NotMigrated => Self::NotMigrated,
            rollcall_store::Error::TooSlow(_) => Self::TooSlow,
            _ => Self::Unreachable,
        }
    }
}

/// The connections that reports use.
pub struct Pools {
    /// For audit entries, health checks and reports of one person.
    pub short: Pool,
    /// For streams, so that slow readers use no connection of `short`.
    pub streams: Pool,
}

/// Makes reports.
pub struct Reports {
    pools: Pools,
    permits: Permits,
    /// Permits to compute a stream until its first row. A report of all persons keeps one core of
    /// the database busy until then, so half of the cores stay free for events and short reports.
    computing: Semaphore,
    settings: settings::Reporting,
    clock: Clock,
    /// Runtime of the tasks that feed streams. An HTTP worker has only one thread, which other
    /// requests need.
    runtime: Handle,
}

impl Reports {
    /// Creates reports from the sessions in `pools`. Streams are fed in the runtime of the caller.
    #[must_use]
    pub fn new(pools: Pools, settings: settings::Reporting, clock: Clock) -> Self {
        let per_client = settings.streams_per_client.get();
        let limits = Limits {
            per_client,
            total: settings.streams.get(),
            waiting_per_client: (per_client * WAITING_FOR_EACH_RUNNING) as usize,
        };
        let wait = Duration::from_secs(settings.stream_wait_seconds.into());
        Self {
            pools,
            permits: Permits::new(limits, wait),
            computing: Semaphore::new((available_parallelism().map_or(1, usize::from) / 2).max(1)),
            settings,
            clock,
            runtime: Handle::current(),
        }
    }

    /// Returns the clock that dates responses.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Returns the reporting time zone.
    #[must_use]
    pub fn time_zone(&self) -> &TimeZone {
        &self.settings.time_zone
    }

    /// The period of these reporting days, both included.
    ///
    /// # Errors
    /// They make no period, or one longer than the setting allows.
    pub fn period(
        &self,
        first: civil::Date,
        last: civil::Date,
        start_of_day: civil::Time,
    ) -> Result<Period, PeriodError> {
        Period::new(
            first,
            last,
            start_of_day,
            &self.settings.time_zone,
            self.settings.period_days,
        )
    }

    /// Returns the report on `selection`, after writing `client`, `action` and `detail` into the
    /// audit log.
    ///
    /// # Errors
    /// The report is not available now. An error after the first row is returned by the rows.
    pub async fn report(
        &self,
        selection: &Selection,
        client: &str,
        action: &str,
        detail: Value,
    ) -> Result<Report, Unavailable> {
        if !self.settings.database_enabled {
            return Err(Unavailable::Off);
        }
        if selection.user.is_none() {
            let permit = self.permit(client).await?;
            self.audit(client, action, detail).await?;
            return self.stream(selection, permit).await;
        }
        self.audit(client, action, detail).await?;
        match self.short(selection).await {
            Ok(Some(rows)) => Ok(Report {
                rows: Box::pin(stream::iter(rows).map(Ok)),
                permit: None,
            }),
            Ok(None) => self.stream(selection, self.permit(client).await?).await,
            Err(error) => Err(self.explain(error).await),
        }
    }

    /// Returns the body that sends `chunks`, which were created from the rows of a report. With a
    /// permit the body is subject to the limits of streams.
    pub fn body<S>(&self, permit: Option<Permit>, chunks: S) -> Body
    where
        S: Stream<Item = Result<Bytes, rollcall_store::Error>> + Send + 'static,
    {
        let Some(permit) = permit else {
            return Box::pin(chunks.map_err(CutError::from));
        };
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        let pace = Pace::new(
            self.settings.stream_bytes_per_second.get(),
            seconds(self.settings.stream_behind_seconds),
        );
        let limit = seconds(self.settings.stream_seconds);
        let terms = Terms {
            permit,
            pace,
            limit,
        };
        Box::pin(feed(&self.runtime, chunks, terms))
    }

    #[tracing::instrument(name = "report.permit", skip_all)]
    async fn permit(&self, client: &str) -> Result<Permit, Unavailable> {
        self.permits
            .acquire(client)
            .await
            .map_err(|limit| match limit {
                LimitError::Client => {
                    Unavailable::TooManyOfClient(self.settings.streams_per_client.get())
                }
                LimitError::Total => Unavailable::TooMany(self.settings.streams.get()),
            })
    }

    async fn audit(&self, client: &str, action: &str, detail: Value) -> Result<(), Unavailable> {
        let written = self.pools.short.ask(async |connection| {
            audit_log::write_for_client(connection, client, action, detail).await
        });
        match written.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Unavailable::ClientDisabled),
            Err(error) => Err(self.explain(error).await),
        }
    }

    /// Returns all rows, or `None` if there are more than [`MAX_SHORT_ROWS`].
    #[tracing::instrument(name = "report.short", skip_all)]
    async fn short(
        &self,
        selection: &Selection,
    ) -> Result<Option<Vec<Row>>, rollcall_store::Error> {
        let rows = sessions::report(
            self.pools.short.get().await?,
            selection,
            self.settings.timeout_before(self.clock.now()),
        );
        let rows = rows.take(MAX_SHORT_ROWS + 1).try_collect::<Vec<_>>();
        let rows = in_time(SHORT_REPORT, rows).await??;
        Ok((rows.len() <= MAX_SHORT_ROWS).then_some(rows))
    }

    async fn stream(&self, selection: &Selection, permit: Permit) -> Result<Report, Unavailable> {
        match self.first_row(selection).await {
            Ok(rows) => Ok(Report {
                rows,
                permit: Some(permit),
            }),
            Err(error) => Err(self.explain(error).await),
        }
    }

    #[tracing::instrument(name = "report.first_row", skip_all)]
    async fn first_row(&self, selection: &Selection) -> Result<Rows, rollcall_store::Error> {
        let computed = async {
            // The semaphore is never closed, so acquiring it cannot fail.
            let _permit = self.computing.acquire().await.ok();
            let connection = self.pools.streams.get().await?;
            let mut rows = Box::pin(sessions::report(
                connection,
                selection,
                self.settings.timeout_before(self.clock.now()),
            ));
            let first = rows.next().await.transpose()?;
            Ok::<_, rollcall_store::Error>((first, rows))
        };
        let (first, rows) = in_time(FIRST_ROW, computed).await??;
        Ok(Box::pin(stream::iter(first).map(Ok).chain(rows)))
    }

    async fn explain(&self, error: rollcall_store::Error) -> Unavailable {
        self.pools.short.explain(error).await.into()
    }
}

async fn in_time<T>(
    limit: Duration,
    answer: impl Future<Output = T>,
) -> Result<T, rollcall_store::Error> {
    tokio::time::timeout(limit, answer).await.map_err(|_| {
        rollcall_store::Error::TooSlow(format!("no row came within {} s", limit.as_secs()))
    })
}
