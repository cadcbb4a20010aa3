//! Metrics of all receivers, and log messages about rejected input. See also
//! [`crate::rejected_inputs`].

use std::{
    fmt::Display,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

use opentelemetry::{KeyValue, global, metrics::Counter};

use rollcall_platform::log_sampler::{self, LogSampler};

/// Counts input of a receiver by outcome: `accepted`, `duplicate`, `rejected`, `set_aside`,
/// `ignored` (a rule says that the message concerns no session), `unmatched` (no rule takes the
/// message), `unrecorded` or `dropped`.
pub fn count(receiver: &'static str, outcome: &'static str, number: usize) {
    static EVENTS: LazyLock<Counter<u64>> = LazyLock::new(|| {
        global::meter("ingestion")
            .u64_counter("ingestion.events")
            .with_description("Events by receiver (receiver) and outcome")
            .build()
    });
    EVENTS.add(
        number as u64,
        &[
            KeyValue::new("receiver", receiver),
            KeyValue::new("outcome", outcome),
        ],
    );
}

/// Maximum number of log lines about rejected input in a minute.
const MAX_CAUSES: usize = 100;

/// Receiver, source and reason of rejected input.
type Cause = (&'static str, String, String);

static REJECTED: LazyLock<Mutex<LogSampler<Cause>>> =
    LazyLock::new(|| Mutex::new(LogSampler::new(MAX_CAUSES)));

fn rejected() -> MutexGuard<'static, LogSampler<Cause>> {
    REJECTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts and logs rejected input of a receiver that cannot report it in an answer. The same reason
/// is logged once; [`report`] logs how often it occurred again.
pub fn reject(receiver: &'static str, source: &str, reason: &dyn Display) {
    count(receiver, "rejected", 1);
    let reason = reason.to_string();
    if rejected().is_new((receiver, source.to_owned(), reason.clone())) {
        tracing::warn!(receiver, source, reason, "Rejected input: {reason}");
    }
}

/// Logs once a minute how often each cause of [`reject`] occurred again. Never returns.
pub async fn report() {
    loop {
        tokio::time::sleep(log_sampler::PERIOD).await;
        let counts = rejected().take();
        for ((receiver, source, reason), number) in counts.by_cause {
            tracing::warn!(
                receiver,
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
