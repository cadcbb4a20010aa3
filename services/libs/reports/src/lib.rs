//! Creates reports: acquires a permit if the report is large, then writes the audit entry while it
//! queries the rows. A report is returned only when its audit entry is in the database and its
//! first row has arrived, so that an error of the query can still be answered with 503.

mod admission;
mod call;
mod download;
mod pools;
pub mod scratch;
pub mod streams;
mod unavailable;

use std::{path::Path, pin::Pin, thread::available_parallelism, time::Duration};

use actix_web::web::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use jiff::{civil, tz::TimeZone};
use rollcall_attendance::{
    calendar::Calendar,
    period::{Period, PeriodError},
};
use rollcall_platform::{clock::Clock, settings};
use rollcall_store::{attendance::Moment, audit_log, calendars};
use tokio::{runtime::Handle, sync::Semaphore};

pub use self::{
    admission::{Admission, Report, Rows},
    call::{Call, Extent},
    download::{COMPRESSED_ALREADY, Download},
    pools::Pools,
    unavailable::Unavailable,
};
use crate::{
    scratch::Scratch,
    streams::{
        feed::{CutError, Terms, feed},
        pace::Pace,
        permits::{LimitError, Permit, Permits},
        queue::Limits,
    },
};

/// Maximum number of waiting streams of a client, as a multiple of its running streams.
const WAITING_FOR_EACH_RUNNING: u32 = 3;

/// The body of a report.
pub type Body = Pin<Box<dyn Stream<Item = Result<Bytes, CutError>>>>;

/// Makes reports.
pub struct Reports {
    pools: Pools,
    permits: Permits,
    /// Permits to compute a large report until its first row. A report of all persons keeps one
    /// core of the database busy until then, so half of the cores stay free for events and small
    /// reports.
    computing: Semaphore,
    scratch: Scratch,
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
            scratch: Scratch::new(settings.scratch_bytes),
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

    /// Returns the calendar `default`.
    #[must_use]
    pub fn default_calendar(&self) -> Calendar {
        calendars::default(&self.settings)
    }

    /// Returns the present reporting day of the calendar `default`.
    #[must_use]
    pub fn today(&self) -> civil::Date {
        let calendar = self.default_calendar();
        let now = self.clock.now();
        let local = now.to_zoned(calendar.time_zone.clone()).date();
        // Only a day at the end of all calendars has no bounds.
        calendar.day_of(now).unwrap_or(local)
    }

    /// Returns the directory in which workbooks are written before they are sent.
    #[must_use]
    pub fn scratch_directory(&self) -> &Path {
        &self.settings.scratch_directory
    }

    /// Returns the budget of the scratch directory.
    #[must_use]
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Returns the present moment, on which open sessions and completeness depend.
    #[must_use]
    pub fn moment(&self) -> Moment {
        Moment {
            now: self.clock.now(),
            timeout: self.settings.session_timeout(),
        }
    }

    /// Returns the period of reporting days of a calendar, both included.
    ///
    /// # Errors
    /// The days make no period, or one longer than the setting allows.
    pub fn period(
        &self,
        first: civil::Date,
        last: civil::Date,
        calendar: &Calendar,
    ) -> Result<Period, PeriodError> {
        Period::new(
            first,
            last,
            calendar.start_of_day,
            &calendar.time_zone,
            self.settings.period_days,
        )
    }

    /// Admits a call: acquires a permit for a large report. The first query of the [`Admission`]
    /// writes the audit entry and checks that the API client is enabled.
    ///
    /// # Errors
    /// The database is off, or there is no permit.
    pub async fn admit<'a>(
        &'a self,
        call: Call<'a>,
        extent: Extent,
    ) -> Result<Admission<'a>, Unavailable> {
        if !self.settings.database_enabled {
            return Err(Unavailable::Off);
        }
        let permit = match extent {
            Extent::Small => None,
            Extent::Large => Some(self.permit(call.client).await?),
        };
        Ok(Admission::new(self, call, permit))
    }

    /// Returns the body that sends `chunks`, which were created from the rows of a report. The first
    /// chunk has come, so that an error before it can still be answered. With a permit the body is
    /// subject to the limits of streams.
    ///
    /// # Errors
    /// The first chunk cannot be made.
    pub async fn body<S, E>(&self, permit: Option<Permit>, chunks: S) -> Result<Body, Unavailable>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        CutError: From<E>,
        E: 'static,
    {
        let chunks = chunks.map_err(CutError::from);
        let mut body: Body = match permit {
            Some(permit) => Box::pin(feed(&self.runtime, chunks, self.terms(permit))),
            None => Box::pin(chunks),
        };
        match body.next().await.transpose() {
            Ok(first) => Ok(Box::pin(stream::iter(first).map(Ok).chain(body))),
            Err(CutError::Database(error)) => Err(self.explain(error).await),
            Err(error) => Err(error.into()),
        }
    }

    fn terms(&self, permit: Permit) -> Terms {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        Terms {
            permit,
            pace: Pace::new(
                self.settings.stream_bytes_per_second.get(),
                seconds(self.settings.stream_behind_seconds),
            ),
            limit: seconds(self.settings.stream_seconds),
        }
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

    /// Writes the audit entry if the API client is enabled. One statement does both, so that
    /// disabling a client takes effect at once.
    async fn audit(&self, call: &Call<'_>) -> Result<(), Unavailable> {
        let written = self.pools.short.ask(async |connection| {
            let detail = call.detail.clone();
            audit_log::write_for_client(connection, call.client, call.action, detail).await
        });
        match written.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Unavailable::ClientDisabled),
            Err(error) => Err(self.explain(error).await),
        }
    }

    async fn explain(&self, error: rollcall_store::Error) -> Unavailable {
        self.pools.short.explain(error).await.into()
    }
}
