//! The clock. All other code gets the time from a [`Clock`], so that tests can set it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::Timestamp;

/// Source of the current time.
#[derive(Debug, Clone)]
pub enum Clock {
    /// Clock of the operating system.
    System,
    /// Clock of a test, in microseconds since the Unix epoch. It moves only by
    /// [`Clock::advance`].
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// Creates a manual clock that shows `now`.
    #[must_use]
    pub fn manual(now: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(now.as_microsecond())))
    }

    /// Advances a manual clock. Has no effect on the system clock.
    pub fn advance(&self, seconds: i64) {
        if let Self::Manual(now) = self {
            now.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
        }
    }

    /// Returns the current time.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Manual(now) => {
                Timestamp::from_microsecond(now.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
            }
        }
    }
}
