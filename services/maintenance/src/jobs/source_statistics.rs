//! Sums up what has arrived from each source, finds gaps, and reports metrics of sources.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use diesel::result::QueryResult;
use diesel_async::AsyncPgConnection;
use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Meter},
};
use rollcall_store::source_statistics::{self as statistics, Heard, MAX_ROWS, Totals};

use super::Job;

/// Number of sources that have a metric of their own. These are the enabled sources that have been
/// silent the longest: a source that stopped reporting is what an operator must notice.
const TOP_SOURCES: i64 = 20;

/// Minimum pause between two runs.
const MIN_PAUSE: Duration = Duration::from_secs(10);

/// Maximum pause between two runs, so that a run that had to wait does not stop the statistics for
/// long.
const MAX_PAUSE: Duration = Duration::from_mins(1);

/// Between these limits, the pause is this many times as long as the run, so that the job takes at
/// most 1 % of a core.
const PAUSE_PER_RUN: u32 = 100;

/// The job, with the values that its metrics show.
pub struct SourceStatistics {
    gap_seconds: u32,
    gaps: Counter<u64>,
    snapshot: Arc<Mutex<Snapshot>>,
}

/// Result of the latest run.
#[derive(Default)]
struct Snapshot {
    totals: Totals,
    longest_silent: Vec<Heard>,
}

impl SourceStatistics {
    /// Creates the job and its metrics. A source that sends nothing for longer than `gap_seconds`
    /// has a gap.
    #[must_use]
    pub fn new(gap_seconds: u32) -> Self {
        let meter = global::meter("maintenance");
        let snapshot = Arc::<Mutex<Snapshot>>::default();
        register_totals(&meter, &snapshot);
        register_longest_silent(&meter, &snapshot);
        Self {
            gap_seconds,
            gaps: meter
                .u64_counter("maintenance.sources.gaps")
                .with_description("Intervals in which a source sent nothing")
                .build(),
            snapshot,
        }
    }
}

impl Job for SourceStatistics {
    const NAME: &'static str = "source statistics";

    async fn run(&self, connection: &mut AsyncPgConnection) -> QueryResult<()> {
        loop {
            let summed = statistics::sum_up(connection, self.gap_seconds).await?;
            self.gaps.add(summed.gaps.unsigned_abs(), &[]);
            if summed.rows < MAX_ROWS {
                break;
            }
        }
        let snapshot = Snapshot {
            totals: statistics::totals(connection, self.gap_seconds).await?,
            longest_silent: statistics::longest_silent(connection, TOP_SOURCES).await?,
        };
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = snapshot;
        Ok(())
    }

    fn pause(took: Duration) -> Duration {
        (took * PAUSE_PER_RUN).clamp(MIN_PAUSE, MAX_PAUSE)
    }
}

fn register_totals(meter: &Meter, snapshot: &Arc<Mutex<Snapshot>>) {
    type Value = fn(&Totals) -> i64;
    let gauges: [(_, _, Value); 5] = [
        ("enabled", "Enabled sources", |totals| totals.enabled),
        (
            "silent",
            "Enabled sources that have sent nothing for longer than ingestion.gap_seconds",
            |totals| totals.silent,
        ),
        ("events", "Events recorded", |totals| totals.events),
        (
            "clock_skewed",
            "Events whose time was far from their arrival",
            |totals| totals.clock_skewed,
        ),
        ("set_aside", "Events that are set aside", |totals| {
            totals.set_aside
        }),
    ];
    for (name, description, value) in gauges {
        let snapshot = snapshot.clone();
        meter
            .i64_observable_gauge(format!("maintenance.sources.{name}"))
            .with_description(description)
            .with_callback(move |observer| {
                let snapshot = snapshot.lock().unwrap_or_else(PoisonError::into_inner);
                observer.observe(value(&snapshot.totals), &[]);
            })
            .build();
    }
}

fn register_longest_silent(meter: &Meter, snapshot: &Arc<Mutex<Snapshot>>) {
    let snapshot = snapshot.clone();
    meter
        .i64_observable_gauge("maintenance.source.last_received")
        .with_description(
            "Latest arrival from each of the longest silent sources, in seconds since 1970",
        )
        .with_callback(move |observer| {
            let snapshot = snapshot.lock().unwrap_or_else(PoisonError::into_inner);
            for source in &snapshot.longest_silent {
                let label = [KeyValue::new("source", source.name.clone())];
                observer.observe(source.last_received_at.as_second(), &label);
            }
        })
        .build();
}
