//! Sums up rejected input by source, receiver and reason, so that the operator can see what a
//! gateway sends without effect. The sums are written to the database in the background, so that no
//! event waits for them.

use std::{
    collections::HashMap,
    fmt::Display,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rollcall_attendance::name::displayed;
use rollcall_store::{
    Pool,
    batch::Recorded,
    events::Outcome,
    rejected_inputs::{self, MAX_REASON_BYTES, MAX_SAMPLE_BYTES, RejectedInput, UNKNOWN_ADDRESSES},
    sources::SourceOfAddress,
};
use rollcall_wire::quote::without_values;

use crate::counts::{self, count};

/// Time between two writes.
const WRITE_INTERVAL: Duration = Duration::from_secs(3);
/// Maximum number of sums in memory. Input for which there is no capacity is only in the metrics.
const MAX_SUMS: usize = 1_000;

/// Reason why the database refused an event. Its message may contain values of the event.
pub const REFUSED: &str = "the database refused the event";

/// Source ID, receiver and reason.
type Key = (i32, &'static str, String);

/// The sums that are not written yet.
#[derive(Clone, Default)]
pub struct RejectedInputs(Arc<Mutex<HashMap<Key, Sum>>>);

/// Number of inputs, and a sample of the latest.
struct Sum {
    count: i64,
    sample: String,
}

impl RejectedInputs {
    /// Starts to write the sums of this value.
    #[must_use]
    pub fn start(pool: Pool) -> Self {
        let rejected = Self::default();
        tokio::spawn(rejected.clone().write(pool));
        rejected
    }

    /// Counts, logs and sums up rejected input of a receiver that cannot report it in an answer.
    /// `input` is empty if the reason concerns no single input.
    pub fn reject(
        &self,
        receiver: &'static str,
        source: &SourceOfAddress,
        reason: &dyn Display,
        input: &[u8],
    ) {
        counts::reject(receiver, &source.name, reason);
        self.add((source.source_id, receiver), &reason.to_string(), 1, input);
    }

    /// Counts, logs and sums up input from an address that is in no source network.
    pub fn reject_unknown(&self, receiver: &'static str, address: IpAddr) {
        let advice = "is in no source network: see scripts/rollcall source set-networks";
        counts::reject(receiver, "-", &format!("{address} {advice}"));
        let key = (UNKNOWN_ADDRESSES, receiver);
        self.add(
            key,
            &format!("the address {advice}"),
            1,
            address.to_string().as_bytes(),
        );
    }

    /// Counts the outcomes of events from a receiver that cannot report them in an answer.
    pub fn count_recorded(
        &self,
        receiver: &'static str,
        source: &SourceOfAddress,
        recorded: &[Recorded],
    ) {
        for outcome in recorded {
            match outcome {
                Recorded::As(Outcome::Accepted) => count(receiver, "accepted", 1),
                // RADIUS and syslog derive the event ID from the content, so a conflict is a
                // duplicate.
                Recorded::As(Outcome::Duplicate | Outcome::Conflict) => {
                    count(receiver, "duplicate", 1);
                }
                Recorded::As(Outcome::SetAside) => count(receiver, "set_aside", 1),
                Recorded::Refused(why) => {
                    counts::reject(receiver, &source.name, why);
                    self.add((source.source_id, receiver), REFUSED, 1, why.as_bytes());
                }
            }
        }
    }

    /// Sums up `count` inputs. Values of the input are removed from the reason.
    pub fn add(
        &self,
        (source_id, receiver): (i32, &'static str),
        reason: &str,
        count: usize,
        input: &[u8],
    ) {
        let mut reason = without_values(reason);
        reason.truncate(reason.floor_char_boundary(MAX_REASON_BYTES));
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.add_sum((source_id, receiver, reason), count, sample(input));
    }

    fn add_sum(&self, key: Key, count: i64, sample: String) {
        let mut sums = self.sums();
        if let Some(sum) = sums.get_mut(&key) {
            sum.count = sum.count.saturating_add(count);
            sum.sample = sample;
        } else if sums.len() < MAX_SUMS {
            sums.insert(key, Sum { count, sample });
        }
    }

    fn sums(&self) -> MutexGuard<'_, HashMap<Key, Sum>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the sums again and again. Returns when nothing adds to them any more.
    async fn write(self, pool: Pool) {
        while Arc::strong_count(&self.0) > 1 {
            tokio::time::sleep(WRITE_INTERVAL).await;
            let inputs: Vec<_> = self.sums().drain().map(rejected_input).collect();
            if inputs.is_empty() {
                continue;
            }
            let written =
                pool.ask(async |connection| rejected_inputs::add(connection, &inputs).await);
            if let Err(error) = written.await {
                tracing::error!(%error, "Failed to write the rejected input, retrying");
                for input in inputs {
                    let key = (input.source_id, input.receiver, input.reason);
                    self.put_back(key, input.count, input.sample);
                }
            }
        }
    }

    /// Adds an older sum, whose sample is not the latest.
    fn put_back(&self, key: Key, count: i64, sample: String) {
        let latest = self.sums().get(&key).map(|sum| sum.sample.clone());
        self.add_sum(key, count, latest.unwrap_or(sample));
    }
}

fn rejected_input(((source_id, receiver, reason), sum): (Key, Sum)) -> RejectedInput {
    RejectedInput {
        source_id,
        receiver,
        reason,
        count: sum.count,
        sample: sum.sample,
    }
}

/// Returns the beginning of an input as one line that can be displayed.
fn sample(input: &[u8]) -> String {
    let start = &input.trim_ascii()[..input.trim_ascii().len().min(MAX_SAMPLE_BYTES)];
    let text = displayed(&String::from_utf8_lossy(start));
    let mut sample = text.replace(char::is_control, "\u{fffd}");
    sample.truncate(sample.floor_char_boundary(MAX_SAMPLE_BYTES));
    sample
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_of_the_input_give_one_reason_with_the_latest_sample() {
        let rejected = RejectedInputs::default();
        for value in ["a", "b"] {
            let reason = format!("type must be login (got {value:?})");
            rejected.add((1, "http"), &reason, 1, value.as_bytes());
        }
        let inputs: Vec<_> = rejected.sums().drain().map(rejected_input).collect();
        let expected = RejectedInput {
            source_id: 1,
            receiver: "http",
            reason: "type must be login".into(),
            count: 2,
            sample: "b".into(),
        };
        assert_eq!(inputs, [expected]);
    }

    #[test]
    fn reason_beyond_the_capacity_is_dropped() {
        let rejected = RejectedInputs::default();
        for source_id in 0..2_000 {
            rejected.add((source_id, "http"), "invalid", 1, b"");
        }
        assert_eq!(rejected.sums().len(), MAX_SUMS);
    }

    #[test]
    fn sum_that_was_not_written_keeps_the_later_sample() {
        let rejected = RejectedInputs::default();
        rejected.add((1, "http"), "invalid", 1, b"later");
        rejected.put_back((1, "http", "invalid".into()), 5, "earlier".into());
        let inputs: Vec<_> = rejected.sums().drain().map(rejected_input).collect();
        assert_eq!((inputs[0].count, inputs[0].sample.as_str()), (6, "later"));
    }

    proptest! {
        #[test]
        fn sample_of_any_bytes_is_short_and_has_no_control_character(
            input in prop::collection::vec(any::<u8>(), 0..400),
        ) {
            let sample = sample(&input);
            prop_assert!(sample.len() <= MAX_SAMPLE_BYTES);
            prop_assert!(!sample.contains(char::is_control));
        }
    }
}
