//! What ingestion does beside its receivers: partitions ahead, retention, and what is known of each source as metrics.
//! Each replica does it; the database lets one at a time through.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use opentelemetry::{KeyValue, global, metrics::Gauge};
use rollcall_platform::{
    clock::Clock,
    settings::{self, Settings},
};
use rollcall_store::{
    Pool, retention,
    sources::{self, Source},
};

/// Between two looks at the sources.
const OFTEN: Duration = Duration::from_secs(10);
/// Looks between two rounds of partitions and retention: an hour.
const SELDOM: u32 = 360;

/// Runs for as long as the process lives.
pub async fn run(pool: Pool, settings: Settings, clock: Clock) {
    let gauges = Gauges::new();
    for round in 0_u32.. {
        if round % SELDOM == 0 {
            note(
                "partitions",
                pool.ask(async |connection| retention::make_partitions(connection).await)
                    .await,
            );
            note(
                "retention",
                remove_expired(&pool, &settings.retention, clock.now()).await,
            );
        }
        note(
            "sources",
            look_at_sources(&pool, &settings.ingestion, &gauges).await,
        );
        tokio::time::sleep(OFTEN).await;
    }
}

fn note(what: &str, outcome: Result<(), rollcall_store::Error>) {
    if let Err(error) = outcome {
        tracing::error!(%error, what, "Maintenance failed, retrying later");
    }
}

/// Removes what is past retention, step by step.
///
/// # Errors
/// The database fails; what is left goes the next time.
pub async fn remove_expired(
    pool: &Pool,
    settings: &settings::Retention,
    now: Timestamp,
) -> Result<(), rollcall_store::Error> {
    let before = |days: u32| now - SignedDuration::from_hours(24 * i64::from(days));
    if settings.events_days > 0 {
        while remove_event_month(pool, before(settings.events_days)).await? {}
    }
    if settings.sessions_days > 0 {
        let before = before(settings.sessions_days);
        while pool
            .ask(async |connection| retention::remove_sessions(connection, before).await)
            .await?
        {}
    }
    if settings.audit_days > 0 {
        let before = before(settings.audit_days);
        while pool
            .ask(async |connection| retention::remove_audit_month(connection, before).await)
            .await?
        {}
    }
    Ok(())
}

/// Its ids first, so that none is known of an event that is gone.
async fn remove_event_month(pool: &Pool, before: Timestamp) -> Result<bool, rollcall_store::Error> {
    let mut next = Some(0);
    while let Some(block) = next {
        next = pool
            .ask(async |connection| retention::remove_event_ids(connection, before, block).await)
            .await?;
    }
    pool.ask(async |connection| retention::remove_event_month(connection, before).await)
        .await
}

async fn look_at_sources(
    pool: &Pool,
    settings: &settings::Ingestion,
    gauges: &Gauges,
) -> Result<(), rollcall_store::Error> {
    pool.ask(async |connection| sources::add_up(connection, settings.gap_seconds).await)
        .await?;
    let sources = pool
        .ask(async |connection| sources::list(connection).await)
        .await?;
    for source in &sources {
        gauges.record(source);
    }
    Ok(())
}

/// By source; times in seconds since 1970.
struct Gauges {
    events: Gauge<i64>,
    clock_skewed: Gauge<i64>,
    gaps: Gauge<i64>,
    last_event: Gauge<i64>,
    last_received: Gauge<i64>,
    complete_through: Gauge<i64>,
}

impl Gauges {
    fn new() -> Self {
        let meter = global::meter("ingestion");
        let gauge = |name: &'static str, description: &'static str| {
            meter
                .i64_gauge(format!("ingestion.source.{name}"))
                .with_description(description)
                .build()
        };
        Self {
            events: gauge("events", "Events recorded"),
            clock_skewed: gauge(
                "clock_skewed",
                "Events whose time was far from their arrival",
            ),
            gaps: gauge(
                "gaps",
                "Silent stretches that complete_through does not cover",
            ),
            last_event: gauge("last_event", "When the latest event happened"),
            last_received: gauge("last_received", "When something last arrived"),
            complete_through: gauge(
                "complete_through",
                "Up to when the source says that it has sent everything",
            ),
        }
    }

    fn record(&self, source: &Source) {
        let label = [KeyValue::new("source", source.name.clone())];
        self.events.record(source.events, &label);
        self.clock_skewed.record(source.clock_skewed, &label);
        self.gaps.record(source.gaps, &label);
        for (gauge, at) in [
            (&self.last_event, source.last_event_at),
            (&self.last_received, source.last_received_at),
            (&self.complete_through, source.complete_through),
        ] {
            if let Some(at) = at {
                gauge.record(at.as_second(), &label);
            }
        }
    }
}
