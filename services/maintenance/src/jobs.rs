//! The jobs, and how each of them is repeated.

pub mod partitions;
pub mod retention;
pub mod source_statistics;

use std::time::{Duration, Instant};

use diesel::result::QueryResult;
use diesel_async::{AsyncPgConnection, pooled_connection::deadpool::Object};
use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Gauge},
};
use rollcall_platform::clock::Clock;
use rollcall_store::{Error, Pool, advisory_lock};

/// Pause after a run that failed.
const RETRY: Duration = Duration::from_mins(1);

/// A job, which consists of short transactions.
pub trait Job: Send + Sync + 'static {
    /// Name of the job in logs and metrics. It also names the advisory lock.
    const NAME: &'static str;

    /// Does all work that is due.
    fn run(
        &self,
        connection: &mut AsyncPgConnection,
    ) -> impl Future<Output = QueryResult<()>> + Send;

    /// Returns the pause after a run that took this long.
    fn pause(took: Duration) -> Duration;
}

/// Result of a run that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All work that was due is done.
    Done,
    /// Another replica is running the same job, so this run did nothing.
    Busy,
}

/// Runs a job on a connection of its own, unless another replica is running the same job.
///
/// # Errors
/// The database fails. Completed steps are kept, the failed step is rolled back.
pub async fn run_once<J: Job>(job: &J, pool: &Pool) -> Result<Outcome, Error> {
    // The connection does not return to the pool: closing it releases the lock, whatever happens.
    let mut connection = Object::take(pool.get().await?);
    if !advisory_lock::try_acquire(&mut connection, J::NAME).await? {
        return Ok(Outcome::Busy);
    }
    job.run(&mut connection).await?;
    Ok(Outcome::Done)
}

/// Runs a job again and again. A run that fails is logged and retried. Never returns.
pub async fn repeat<J: Job>(job: J, pool: Pool, clock: Clock) {
    let metrics = Metrics::new();
    loop {
        let started = Instant::now();
        let outcome = run_once(&job, &pool).await;
        metrics.record(J::NAME, &outcome, &clock);
        let pause = match outcome {
            Ok(_) => J::pause(started.elapsed()),
            Err(error) => {
                tracing::error!(%error, job = J::NAME, "Maintenance job failed, retrying");
                RETRY.min(J::pause(Duration::ZERO))
            }
        };
        tokio::time::sleep(pause).await;
    }
}

struct Metrics {
    runs: Counter<u64>,
    last_success: Gauge<i64>,
}

impl Metrics {
    fn new() -> Self {
        let meter = global::meter("maintenance");
        Self {
            runs: meter
                .u64_counter("maintenance.job.runs")
                .with_description("Runs of a job, by outcome (done, busy, failed)")
                .build(),
            last_success: meter
                .i64_gauge("maintenance.job.last_success")
                .with_description("End of the latest run that was done, in seconds since 1970")
                .build(),
        }
    }

    fn record(&self, job: &'static str, outcome: &Result<Outcome, Error>, clock: &Clock) {
        let name = match outcome {
            Ok(Outcome::Done) => "done",
            Ok(Outcome::Busy) => "busy",
            Err(_) => "failed",
        };
        let job = KeyValue::new("job", job);
        if name == "done" {
            let now = clock.now().as_second();
            self.last_success.record(now, std::slice::from_ref(&job));
        }
        self.runs.add(1, &[job, KeyValue::new("outcome", name)]);
    }
}
