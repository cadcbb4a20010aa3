//! Metrics of all receivers, and log messages about rejected input.

use std::{
    collections::HashMap,
    fmt::Display,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

use opentelemetry::{KeyValue, global, metrics::Counter};

use rollcall_platform::log_sampler::{self, LogSampler};
use rollcall_store::{batch::Recorded, events::Outcome};

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
/// Maximum length of a sample of rejected input, in bytes.
const MAX_SAMPLE_BYTES: usize = 200;

/// Receiver, source and reason of rejected input.
type Cause = (&'static str, String, String);

/// Rejected input, counted by cause.
struct RejectedInput {
    sampler: LogSampler<Cause>,
    /// Latest sample of each cause since the last report.
    samples: HashMap<Cause, String>,
}

static REJECTED: LazyLock<Mutex<RejectedInput>> = LazyLock::new(|| {
    Mutex::new(RejectedInput {
        sampler: LogSampler::new(MAX_CAUSES),
        samples: HashMap::new(),
    })
});

fn rejected() -> MutexGuard<'static, RejectedInput> {
    REJECTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts and logs rejected input of a receiver that cannot report it in an answer. The same reason
/// is logged once; [`report`] logs how often it occurred again.
pub fn reject(receiver: &'static str, source: &str, reason: &dyn Display) {
    reject_message(receiver, source, reason, None);
}

/// Counts and logs a rejected message, as [`reject`] does, with the beginning of the message.
pub fn reject_message(
    receiver: &'static str,
    source: &str,
    reason: &dyn Display,
    message: Option<&str>,
) {
    count(receiver, "rejected", 1);
    count_rejected(receiver, source);
    let reason = reason.to_string();
    let sample = message.map(|message| &message[..message.floor_char_boundary(MAX_SAMPLE_BYTES)]);
    let cause = (receiver, source.to_owned(), reason.clone());
    let mut rejected = rejected();
    if rejected.sampler.is_new(cause.clone()) {
        tracing::warn!(receiver, source, reason, sample, "Rejected input: {reason}");
    } else if let Some(sample) = sample
        && (rejected.samples.len() < MAX_CAUSES || rejected.samples.contains_key(&cause))
    {
        rejected.samples.insert(cause, sample.to_owned());
    }
}

/// Counts rejected input by receiver and source.
fn count_rejected(receiver: &'static str, source: &str) {
    static REJECTED: LazyLock<Counter<u64>> = LazyLock::new(|| {
        global::meter("ingestion")
            .u64_counter("ingestion.rejected")
            .with_description("Rejected input by receiver (receiver) and source (source)")
            .build()
    });
    REJECTED.add(
        1,
        &[
            KeyValue::new("receiver", receiver),
            KeyValue::new("source", source.to_owned()),
        ],
    );
}

/// Logs once a minute how often each cause of [`reject`] occurred again, with the latest sample.
/// Never returns.
pub async fn report() {
    loop {
        tokio::time::sleep(log_sampler::PERIOD).await;
        let (counts, mut samples) = {
            let mut rejected = rejected();
            (
                rejected.sampler.take(),
                std::mem::take(&mut rejected.samples),
            )
        };
        for (cause, number) in counts.by_cause {
            let sample = samples.remove(&cause);
            let (receiver, source, reason) = cause;
            tracing::warn!(
                receiver,
                source,
                reason,
                number,
                sample,
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
pub fn count_recorded(receiver: &'static str, source: &str, recorded: &[Recorded]) {
    for outcome in recorded {
        match outcome {
            Recorded::As(Outcome::Accepted) => count(receiver, "accepted", 1),
            // RADIUS and syslog derive the event ID from the content, so a conflict is a duplicate.
            Recorded::As(Outcome::Duplicate | Outcome::Conflict) => count(receiver, "duplicate", 1),
            Recorded::As(Outcome::SetAside) => count(receiver, "set_aside", 1),
            Recorded::Refused(why) => reject(receiver, source, why),
        }
    }
}
