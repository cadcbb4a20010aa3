//! What the doors count, and what they log of bad input.

use std::{fmt::Display, sync::LazyLock};

use opentelemetry::{KeyValue, global, metrics::Counter};

use crate::recorder::Recorded;
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

/// Bad input of a door that has no answer for it.
pub fn reject(door: &'static str, source: &str, reason: &dyn Display) {
    count(door, "rejected", 1);
    tracing::warn!(door, source, %reason, "rejected");
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
