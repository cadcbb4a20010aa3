//! The minimum rate at which a client must read a stream. No I/O: the caller measures the time.

use std::time::Duration;

/// State of a client that must read at a minimum rate, and may fall behind by a limited time.
#[derive(Debug)]
pub struct Pace {
    bytes_per_second: u32,
    max_behind: Duration,
    behind: Duration,
}

impl Pace {
    /// Creates the state of a client that has read nothing yet and is not behind.
    #[must_use]
    pub fn new(bytes_per_second: u32, max_behind: Duration) -> Self {
        Self {
            bytes_per_second,
            max_behind,
            behind: Duration::ZERO,
        }
    }

    /// Returns how long the service waits for the client to read the next bytes.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.max_behind.saturating_sub(self.behind)
    }

    /// Counts bytes that the client read after the service had waited for it. Time spent waiting
    /// for the database does not count.
    pub fn took(&mut self, bytes: usize, waited: Duration) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let due = Duration::from_secs(1) * bytes / self.bytes_per_second;
        self.behind = (self.behind + waited).saturating_sub(due);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNK_BYTES: usize = 16 * 1024;

    /// Returns after how many seconds a client that reads a chunk every `seconds` is disconnected.
    fn cut_off_after(seconds: u64) -> Option<u64> {
        let mut pace = Pace::new(16 * 1024, Duration::from_mins(1));
        for chunk in 1..1000 {
            if pace.patience() < Duration::from_secs(seconds) {
                return Some((chunk - 1) * seconds + pace.patience().as_secs());
            }
            pace.took(CHUNK_BYTES, Duration::from_secs(seconds));
        }
        None
    }

    #[test]
    fn client_that_reads_nothing_is_cut_off_at_the_maximum_delay() {
        assert_eq!(cut_off_after(3600), Some(60));
    }

    #[test]
    fn client_at_minimum_rate_is_never_cut_off() {
        assert_eq!(cut_off_after(1), None);
    }

    #[test]
    fn client_at_half_the_rate_is_cut_off_after_about_twice_the_time() {
        assert_eq!(cut_off_after(2), Some(119));
    }

    #[test]
    fn fast_start_earns_no_credit() {
        let mut pace = Pace::new(16 * 1024, Duration::from_mins(1));
        pace.took(usize::MAX, Duration::from_secs(1));
        assert_eq!(pace.patience(), Duration::from_mins(1));
    }
}
