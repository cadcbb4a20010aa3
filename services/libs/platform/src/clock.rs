//! The one place that asks the system for the time.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::Timestamp;

/// Tells the time; a test sets it.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The system's.
    System,
    /// Microseconds since the Unix epoch, moved by hand.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `now` until it is moved.
    #[must_use]
    pub fn manual(now: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(now.as_microsecond())))
    }

    /// Moves a manual clock; the system's goes on by itself.
    pub fn advance(&self, seconds: i64) {
        if let Self::Manual(now) = self {
            now.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
        }
    }

    /// The present instant.
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
