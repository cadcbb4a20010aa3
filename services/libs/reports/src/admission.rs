//! The queries of an admitted call.

use std::{pin::Pin, time::Duration};

use futures::{Stream, StreamExt, TryStreamExt, stream};
use rollcall_store::{AsyncPgConnection, Connection, Error, attendance::Moment};

use super::{Permit, Reports, Unavailable};

/// Maximum time until the first row of a large report. Such a report is sorted before its first row
/// arrives. Together with the wait for a permit, this must be less than the 60 s that the reverse
/// proxy waits for a response.
const FIRST_ROW: Duration = Duration::from_secs(45);
/// Maximum time for a small report. It is longer than the `statement_timeout` of the role, so that
/// the server ends a slow statement first.
const SHORT_REPORT: Duration = Duration::from_secs(12);
/// Maximum number of rows of a small report. A user name with more rows (one per realm) is served
/// as a stream.
const MAX_SHORT_ROWS: usize = 1_000;

/// Rows of a report.
pub type Rows<T> = Pin<Box<dyn Stream<Item = Result<T, Error>> + Send>>;

/// A report whose first row has come.
pub struct Report<T> {
    /// Rows of the report.
    pub rows: Rows<T>,
    /// Permit to stream the rows. `None` if they are in memory.
    pub permit: Option<Permit>,
}

/// A call whose API client is enabled and has the permit that the report needs.
pub struct Admission<'a> {
    reports: &'a Reports,
    client: String,
    permit: Option<Permit>,
    moment: Moment,
}

impl<'a> Admission<'a> {
    pub(super) fn new(reports: &'a Reports, client: String, permit: Option<Permit>) -> Self {
        Self {
            reports,
            client,
            permit,
            moment: reports.moment(),
        }
    }

    /// Returns the moment of the report, which is the same for all its queries.
    #[must_use]
    pub fn moment(&self) -> Moment {
        self.moment
    }

    /// Returns the report whose rows `query` reads. The rows of a small report are in memory, unless
    /// they are more than expected: then `query` runs again, and the report is a stream.
    ///
    /// # Errors
    /// The report is not available now. An error after the first row is returned by the rows.
    pub async fn report<T: Send + 'static>(
        self,
        query: impl Fn(Connection, Moment) -> Rows<T>,
    ) -> Result<Report<T>, Unavailable> {
        let permit = match self.permit {
            Some(permit) => permit,
            None => match self.reports.short(&query, self.moment).await? {
                Some(rows) => {
                    let rows = Box::pin(stream::iter(rows).map(Ok));
                    return Ok(Report { rows, permit: None });
                }
                None => self.reports.permit(&self.client).await?,
            },
        };
        match self.reports.first_row(&query, self.moment).await {
            Ok(rows) => Ok(Report {
                rows,
                permit: Some(permit),
            }),
            Err(error) => Err(self.reports.explain(error).await),
        }
    }

    /// Returns all rows that `query` reads, which must be limited in number.
    ///
    /// # Errors
    /// The rows are not available now.
    pub async fn page<T>(
        &self,
        query: impl FnOnce(Connection, Moment) -> Rows<T>,
    ) -> Result<Vec<T>, Unavailable> {
        let reports = self.reports;
        let read = async {
            let (pool, _permit) = match &self.permit {
                // The semaphore is never closed, so acquiring it cannot fail.
                Some(_) => (
                    &reports.pools.streams,
                    reports.computing.acquire().await.ok(),
                ),
                None => (&reports.pools.short, None),
            };
            query(pool.get().await?, self.moment).try_collect().await
        };
        let limit = if self.permit.is_some() {
            FIRST_ROW
        } else {
            SHORT_REPORT
        };
        match in_time(limit, read).await {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) | Err(error) => Err(reports.explain(error).await),
        }
    }

    /// Returns the result of statements that may take as long as a page of rows.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn read<T, E, F>(&self, query: F) -> Result<T, Unavailable>
    where
        F: AsyncFnOnce(&mut AsyncPgConnection, Moment) -> Result<T, E>,
        Error: From<E>,
    {
        let moment = self.moment;
        let query = async |connection: &mut _| query(connection, moment).await;
        let reports = self.reports;
        let answer = if self.permit.is_some() {
            // The semaphore is never closed, so acquiring it cannot fail.
            let _permit = reports.computing.acquire().await.ok();
            reports.pools.streams.ask_within(FIRST_ROW, query).await
        } else {
            reports.pools.short.ask_within(SHORT_REPORT, query).await
        };
        match answer {
            Ok(answer) => Ok(answer),
            Err(error) => Err(reports.explain(error).await),
        }
    }

    /// Returns the result of a statement that takes little time.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn ask<T, E, F>(&self, query: F) -> Result<T, Unavailable>
    where
        F: AsyncFnOnce(&mut AsyncPgConnection) -> Result<T, E>,
        Error: From<E>,
    {
        match self.reports.pools.short.ask(query).await {
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.reports.explain(error).await),
        }
    }
}

impl Reports {
    /// Returns all rows, or `None` if there are more than [`MAX_SHORT_ROWS`].
    #[tracing::instrument(name = "report.short", skip_all)]
    async fn short<T>(
        &self,
        query: impl Fn(Connection, Moment) -> Rows<T>,
        moment: Moment,
    ) -> Result<Option<Vec<T>>, Unavailable> {
        let read = async {
            let rows = query(self.pools.short.get().await?, moment);
            rows.take(MAX_SHORT_ROWS + 1).try_collect::<Vec<_>>().await
        };
        match in_time(SHORT_REPORT, read).await {
            Ok(Ok(rows)) => Ok((rows.len() <= MAX_SHORT_ROWS).then_some(rows)),
            Ok(Err(error)) | Err(error) => Err(self.explain(error).await),
        }
    }

    #[tracing::instrument(name = "report.first_row", skip_all)]
    async fn first_row<T: Send + 'static>(
        &self,
        query: impl Fn(Connection, Moment) -> Rows<T>,
        moment: Moment,
    ) -> Result<Rows<T>, Error> {
        let computed = async {
            // The semaphore is never closed, so acquiring it cannot fail.
            let _permit = self.computing.acquire().await.ok();
            let mut rows = query(self.pools.streams.get().await?, moment);
            let first = rows.next().await.transpose()?;
            Ok::<_, Error>((first, rows))
        };
        let (first, rows) = in_time(FIRST_ROW, computed).await??;
        Ok(Box::pin(stream::iter(first).map(Ok).chain(rows)))
    }
}

async fn in_time<T>(limit: Duration, answer: impl Future<Output = T>) -> Result<T, Error> {
    tokio::time::timeout(limit, answer)
        .await
        .map_err(|_| Error::TooSlow(format!("no row came within {} s", limit.as_secs())))
}
