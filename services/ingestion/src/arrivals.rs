//! Time of arrival of events, and how far their own times may differ from it.

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
    /// Creates the clock and tolerances from the settings.
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

    /// Returns an arrival at the present time.
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
