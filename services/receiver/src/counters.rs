//! Counts datagrams by outcome and logs those that were dropped.

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use opentelemetry::{KeyValue, global};
use rollcall_platform::log_sampler::{self, LogSampler};

/// Maximum number of pairs of address and reason whose drops are logged separately in a minute. All
/// others share one line.
const MAX_LOGGED_ADDRESSES: usize = 32;

/// Outcome of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Forwarded to ingestion.
    Forwarded,
    /// Answered: a response from ingestion was sent to the gateway.
    Answered,
    /// Dropped: ingestion has not yet sent the source networks.
    NetworksUnknown,
    /// Dropped: the address is in no source network.
    UnknownAddress,
    /// Dropped: the address exceeds its rate limit.
    OverRate,
    /// Dropped: no replica of ingestion is connected, or their queues are full.
    NoCapacity,
}

impl Outcome {
    const ALL: [Self; 6] = [
        Self::Forwarded,
        Self::Answered,
        Self::NetworksUnknown,
        Self::UnknownAddress,
        Self::OverRate,
        Self::NoCapacity,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Forwarded => "forwarded",
            Self::Answered => "answered",
            Self::NetworksUnknown => "networks_unknown",
            Self::UnknownAddress => "unknown_address",
            Self::OverRate => "over_rate",
            Self::NoCapacity => "no_capacity",
        }
    }

    fn reason(self) -> &'static str {
        match self {
            Self::Forwarded | Self::Answered => "",
            Self::NetworksUnknown => "ingestion has not yet sent the source networks",
            Self::UnknownAddress => {
                "the address is in no source network: see scripts/rollcall source set-networks"
            }
            Self::OverRate => "the address exceeds receiver.datagrams_per_second",
            Self::NoCapacity => {
                "no ingestion replica is connected, or all queues are full: see scripts/status"
            }
        }
    }
}

/// Counts of datagrams by outcome, and the drops that wait for the next log line.
#[derive(Debug)]
pub struct Counters {
    counts: [AtomicU64; Outcome::ALL.len()],
    drops: Mutex<LogSampler<(IpAddr, Outcome)>>,
}

impl Counters {
    /// Creates counters at zero and exports them as the metric `receiver.datagrams`.
    #[must_use]
    pub fn start() -> Arc<Self> {
        let counters = Arc::new(Self {
            counts: Default::default(),
            drops: Mutex::new(LogSampler::new(MAX_LOGGED_ADDRESSES)),
        });
        let observed = counters.clone();
        global::meter("receiver")
            .u64_observable_counter("receiver.datagrams")
            .with_description("Datagrams by outcome; all but forwarded and answered were dropped")
            .with_callback(move |observer| {
                for outcome in Outcome::ALL {
                    let attributes = [KeyValue::new("outcome", outcome.name())];
                    observer.observe(observed.get(outcome), &attributes);
                }
            })
            .build();
        counters
    }

    /// Returns how many datagrams had this outcome.
    #[must_use]
    pub fn get(&self, outcome: Outcome) -> u64 {
        self.counts[outcome as usize].load(Ordering::Relaxed)
    }

    /// Counts a datagram.
    pub fn count(&self, outcome: Outcome) {
        self.counts[outcome as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a dropped datagram. The first one of an address and reason is logged at once.
    /// [`Counters::report`] logs the number of further ones.
    pub fn count_drop(&self, address: IpAddr, outcome: Outcome) {
        self.count(outcome);
        if self.drops().is_new((address, outcome)) {
            let reason = outcome.reason();
            tracing::warn!(%address, reason, "Dropped a datagram: {reason}");
        }
    }

    /// Logs once a minute how many datagrams of each address were dropped. Never returns.
    pub async fn report(self: Arc<Self>) {
        loop {
            tokio::time::sleep(log_sampler::PERIOD).await;
            let counts = self.drops().take();
            for ((address, outcome), datagrams) in counts.by_cause {
                let reason = outcome.reason();
                tracing::warn!(%address, reason, datagrams, "Dropped datagrams: {reason}");
            }
            if counts.others > 0 {
                tracing::warn!(
                    datagrams = counts.others,
                    "Dropped datagrams of other addresses"
                );
            }
        }
    }

    fn drops(&self) -> std::sync::MutexGuard<'_, LogSampler<(IpAddr, Outcome)>> {
        self.drops.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
