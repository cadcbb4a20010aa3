//! Metrics of all receivers, and log messages about rejected input.

use std::{
    fmt::Display,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

use opentelemetry::{KeyValue, global, metrics::Counter};

use crate::recorder::Recorded;
use rollcall_platform::tally::{self, Tally};
use rollcall_store::events::Outcome;

/// Counts input of a receiver by outcome: `accepted`, `duplicate`, `rejected`, `set_aside`,
/// `ignored` (a message that concerns no session), `unrecorded` or `dropped`.
pub fn count(door: &'static str, outcome: &'static str, number: usize) {
    static EVENTS: LazyLock<Counter<u64>> = LazyLock::new(|| {
        global::meter("ingestion")
            .u64_counter("ingestion.events")
            .with_description("Events by receiver (door) and outcome")
            .build()
    });
    EVENTS.add(
        number as u64,
        &[
            KeyValue::new("door", door),
            KeyValue::new("outcome", outcome),
        ],
    );
}

/// Maximum number of log lines about rejected input in a minute.
const MAX_CAUSES: usize = 100;

/// Receiver, source and reason of rejected input.
type Cause = (&'static str, String, String);

static REJECTED: LazyLock<Mutex<Tally<Cause>>> =
    LazyLock::new(|| Mutex::new(Tally::new(MAX_CAUSES)));

fn rejected() -> MutexGuard<'static, Tally<Cause>> {
    REJECTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts and logs rejected input of a receiver that cannot report it in an answer. The same reason
/// is logged once; [`report`] logs how often it occurred again.
pub fn reject(door: &'static str, source: &str, reason: &dyn Display) {
    count(door, "rejected", 1);
    let reason = reason.to_string();
    if rejected().is_new((door, source.to_owned(), reason.clone())) {
        tracing::warn!(door, source, reason, "Rejected input: {reason}");
    }
}

/// Logs once a minute how often each cause of [`reject`] occurred again. Never returns.
pub async fn report() {
    loop {
        tokio::time::sleep(tally::PERIOD).await;
        let counts = rejected().take();
        for ((door, source, reason), number) in counts.by_cause {
            tracing::warn!(
                door,
                source,
                reason,
                number,
                "Rejected more input: {reason}"
            );
        }
        if counts.others > 0 {
            tracing::warn!(
                number = counts.others,
                "Rejected more input for other reasons"
            );
        }
    }
}

/// Counts the outcomes of events from a receiver that cannot report them in an answer.
pub fn count_recorded(door: &'static str, source: &str, recorded: &[Recorded]) {
    for outcome in recorded {
        match outcome {
            Recorded::As(Outcome::Accepted) => count(door, "accepted", 1),
            // RADIUS and syslog derive the event ID from the content, so a conflict is a duplicate.
            Recorded::As(Outcome::Duplicate | Outcome::Conflict) => count(door, "duplicate", 1),
            Recorded::As(Outcome::SetAside) => count(door, "set_aside", 1),
            Recorded::Refused(why) => reject(door, source, why),
        }
    }
}
