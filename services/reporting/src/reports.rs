//! Asking for a report: the audit entry, then the rows as a stream whose beginning is known to be good.

use std::{pin::Pin, time::Duration};

use futures::{Stream, StreamExt, stream};
use jiff::{civil, tz::TimeZone};
use rollcall_attendance::period::{Period, PeriodError};
use rollcall_platform::{clock::Clock, settings};
use rollcall_store::{
    Pool, audit_log,
    sessions::{self, Row, Selection},
};
use serde_json::Value;

/// A large report is sorted before its first row comes.
const FIRST_ROW: Duration = Duration::from_secs(55);

/// Rows of a report.
pub type Rows = Pin<Box<dyn Stream<Item = Result<Row, rollcall_store::Error>>>>;

/// Why there is no report. The cause is in the log.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// KB008: the reporting database must be enabled.
    #[error(
        "The reporting database is off. Ask the gateway's administrator to set reporting.database_enabled."
    )]
    Off,
    /// It gives no answer.
    #[error(
        "The reporting database is unreachable. Repeat the call; on the gateway, scripts/status says more."
    )]
    Unreachable,
    /// It lacks tables.
    #[error(
        "The reporting database is not yet migrated. Repeat the call when the gateway has finished its update."
    )]
    NotMigrated,
}

impl From<rollcall_store::Error> for Unavailable {
    fn from(error: rollcall_store::Error) -> Self {
        tracing::error!(%error, "no report");
        if matches!(error, rollcall_store::Error::NotMigrated) {
            Self::NotMigrated
        } else {
            Self::Unreachable
        }
    }
}

/// Makes reports.
pub struct Reports {
    pool: Pool,
    settings: settings::Reporting,
    clock: Clock,
}

impl Reports {
    /// Reports on the sessions in `pool`.
    #[must_use]
    pub fn new(pool: Pool, settings: settings::Reporting, clock: Clock) -> Self {
        Self {
            pool,
            settings,
            clock,
        }
    }

    /// The clock by which answers are dated.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The reporting time zone.
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

    /// The rows that `selection` has; `actor` and `detail` go into the audit log first.
    ///
    /// # Errors
    /// The database cannot answer now. Once rows come, an error is the stream's.
    pub async fn rows(
        &self,
        selection: Selection,
        actor: &str,
        action: &str,
        detail: Value,
    ) -> Result<Rows, Unavailable> {
        if !self.settings.database_enabled {
            return Err(Unavailable::Off);
        }
        match self.start(&selection, actor, action, detail).await {
            Ok(rows) => Ok(rows),
            Err(error) => Err(self.pool.explain(error).await.into()),
        }
    }

    async fn start(
        &self,
        selection: &Selection,
        actor: &str,
        action: &str,
        detail: Value,
    ) -> Result<Rows, rollcall_store::Error> {
        self.pool
            .ask(async |connection| audit_log::write(connection, actor, action, detail).await)
            .await?;
        let mut rows = Box::pin(sessions::report(self.pool.get().await?, selection));
        let first = tokio::time::timeout(FIRST_ROW, rows.next()).await;
        let first = first
            .map_err(|_| rollcall_store::Error::Unreachable("no row came in time".into()))?
            .transpose()?;
        Ok(Box::pin(stream::iter(first).map(Ok).chain(rows)))
    }
}
