//! When events arrive, and how far from then they may say that they happened.

use jiff::{SignedDuration, Timestamp};
use rollcall_attendance::event::Arrival;
use rollcall_platform::{clock::Clock, settings};

/// The clock and its tolerances.
#[derive(Debug, Clone)]
pub struct Arrivals {
    clock: Clock,
    earliest: Timestamp,
    ahead: SignedDuration,
    skew: SignedDuration,
}

impl Arrivals {
    /// As the settings have it.
    #[must_use]
    pub fn new(clock: Clock, settings: &settings::Ingestion) -> Self {
        let seconds = |seconds: u32| SignedDuration::from_secs(seconds.into());
        Self {
            clock,
            earliest: settings.earliest,
            ahead: seconds(settings.ahead_seconds),
            skew: seconds(settings.skew_seconds),
        }
    }

    /// An arrival now.
    #[must_use]
    pub fn now(&self) -> Arrival {
        Arrival {
            at: self.clock.now(),
            earliest: self.earliest,
            ahead: self.ahead,
            skew: self.skew,
        }
    }
}
