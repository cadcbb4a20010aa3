//! The queries of an admitted call.

use std::{pin::Pin, time::Duration};

use futures::{Stream, StreamExt, TryFutureExt, TryStreamExt, future::try_join, stream};
use rollcall_store::{AsyncPgConnection, Connection, Error, attendance::Moment};
use tokio::sync::OnceCell;

use super::{Call, Permit, Reports, Unavailable};

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

/// A call that has the permit it needs. The audit entry is written while the first query runs,
/// because waiting for the disk takes as long as a small report. No result is returned before the
/// entry is in the database.
pub struct Admission<'a> {
    reports: &'a Reports,
    call: Call<'a>,
    permit: Option<Permit>,
    moment: Moment,
    audit_entry: OnceCell<()>,
}

impl<'a> Admission<'a> {
    pub(super) fn new(reports: &'a Reports, call: Call<'a>, permit: Option<Permit>) -> Self {
        Self {
            reports,
            call,
            permit,
            moment: reports.moment(),
            audit_entry: OnceCell::new(),
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
        mut self,
        query: impl Fn(Connection, Moment) -> Rows<T>,
    ) -> Result<Report<T>, Unavailable> {
        let (reports, moment) = (self.reports, self.moment);
        let permit = match self.permit.take() {
            Some(permit) => permit,
            None => match self.run_audited(reports.short(&query, moment)).await? {
                Some(rows) => {
                    let rows = Box::pin(stream::iter(rows).map(Ok));
                    return Ok(Report { rows, permit: None });
                }
                None => reports.permit(self.call.client).await?,
            },
        };
        let rows = self.run_audited(reports.first_row(&query, moment)).await?;
        Ok(Report {
            rows,
            permit: Some(permit),
        })
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
        self.run_audited(async { in_time(limit, read).await.flatten() })
            .await
    }

    /// Returns the result of statements that may take as long as a page of rows.
    ///
    /// # Errors
    /// The API client is disabled, or the database does not answer.
    pub async fn read<T, E, F>(&self, query: F) -> Result<T, Unavailable>
    where
        F: AsyncFnOnce(&mut AsyncPgConnection, Moment) -> Result<T, E>,
        Error: From<E>,
    {
        let moment = self.moment;
        let query = async |connection: &mut _| query(connection, moment).await;
        let reports = self.reports;
        let answer = async {
            if self.permit.is_some() {
                // The semaphore is never closed, so acquiring it cannot fail.
                let _permit = reports.computing.acquire().await.ok();
                reports.pools.streams.ask_within(FIRST_ROW, query).await
            } else {
                reports.pools.short.ask_within(SHORT_REPORT, query).await
            }
        };
        self.run_audited(answer).await
    }

    /// Returns the result of a statement that takes little time.
    ///
    /// # Errors
    /// The API client is disabled, or the database does not answer.
    pub async fn ask<T, E, F>(&self, query: F) -> Result<T, Unavailable>
    where
        F: AsyncFnOnce(&mut AsyncPgConnection) -> Result<T, E>,
        Error: From<E>,
    {
        self.run_audited(self.reports.pools.short.ask(query)).await
    }

    /// Runs `query` and writes the audit entry at the same time. Returns the result when both are
    /// done. If the query fails first, the entry may be missing.
    fn run_audited<T>(
        &self,
        query: impl Future<Output = Result<T, Error>>,
    ) -> impl Future<Output = Result<T, Unavailable>> {
        let reports = self.reports;
        let audit = self
            .audit_entry
            .get_or_try_init(|| reports.audit(&self.call));
        // Box the query. Its future is large, and each caller's future would contain it several
        // times.
        let query = Box::pin(query);
        let query = async {
            match query.await {
                Ok(result) => Ok(result),
                Err(error) => Err(reports.explain(error).await),
            }
        };
        try_join(audit, query).map_ok(|((), result)| result)
    }
}

impl Reports {
    /// Returns all rows, or `None` if there are more than [`MAX_SHORT_ROWS`].
    #[tracing::instrument(name = "report.short", skip_all)]
    async fn short<T>(
        &self,
        query: impl Fn(Connection, Moment) -> Rows<T>,
        moment: Moment,
    ) -> Result<Option<Vec<T>>, Error> {
        let read = async {
            let rows = query(self.pools.short.get().await?, moment);
            rows.take(MAX_SHORT_ROWS + 1).try_collect::<Vec<_>>().await
        };
        let rows = in_time(SHORT_REPORT, read).await??;
        Ok((rows.len() <= MAX_SHORT_ROWS).then_some(rows))
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
