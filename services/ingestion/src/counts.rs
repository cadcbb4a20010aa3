//! What the doors count, and what they log of bad input.

use std::{
    fmt::Display,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

use opentelemetry::{KeyValue, global, metrics::Counter};

use crate::recorder::Recorded;
use rollcall_platform::tally::{self, Tally};
use rollcall_store::events::Outcome;

/// What became of input: `accepted`, `duplicate`, `rejected`, `set_aside`, or `ignored` for a message that concerns no session.
pub fn count(door: &'static str, outcome: &'static str, number: usize) {
    static EVENTS: LazyLock<Counter<u64>> = LazyLock::new(|| {
        global::meter("ingestion")
            .u64_counter("ingestion.events")
            .with_description("Events by door and outcome")
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

/// Counts and logs bad input of a receiver that has no answer for it. The same again within the
/// minute is logged by [`report`].
pub fn reject(door: &'static str, source: &str, reason: &dyn Display) {
    count(door, "rejected", 1);
    let reason = reason.to_string();
    if rejected().is_new((door, source.to_owned(), reason.clone())) {
        tracing::warn!(door, source, reason, "rejected");
    }
}

/// Logs once a minute how often each cause of [`reject`] occurred again, for as long as the process
/// lives.
pub async fn report() {
    loop {
        tokio::time::sleep(tally::PERIOD).await;
        let counts = rejected().take();
        for ((door, source, reason), number) in counts.by_cause {
            tracing::warn!(door, source, reason, number, "rejected again");
        }
        if counts.others > 0 {
            tracing::warn!(number = counts.others, "rejected for other reasons");
        }
    }
}

/// What the recorder said of events of a door that has no answer for each.
pub fn count_recorded(door: &'static str, source: &str, recorded: &[Recorded]) {
    for outcome in recorded {
        match outcome {
            Recorded::As(Outcome::Accepted) => count(door, "accepted", 1),
            // Where the door made the id, an event of the same id is the same event.
            Recorded::As(Outcome::Duplicate | Outcome::Conflict) => count(door, "duplicate", 1),
            Recorded::As(Outcome::SetAside) => count(door, "set_aside", 1),
            Recorded::Refused(why) => reject(door, source, why),
        }
    }
}
