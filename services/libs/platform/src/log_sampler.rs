//! Counts faults by cause, so that a flood of faults produces one log line per cause and minute.

use std::{collections::HashMap, hash::Hash, time::Duration};

/// Time between two calls of [`LogSampler::take`].
pub const PERIOD: Duration = Duration::from_mins(1);

/// Counts by cause. Memory is bounded: causes beyond the first `max_causes` of a period are counted
/// together.
#[derive(Debug)]
pub struct LogSampler<C> {
    counts: HashMap<C, u64>,
    others: u64,
    max_causes: usize,
}

/// Counts since the previous call of [`LogSampler::take`].
#[derive(Debug, PartialEq, Eq)]
pub struct Counts<C> {
    /// Count of each cause, the most frequent first.
    pub by_cause: Vec<(C, u64)>,
    /// Count of all other causes together.
    pub others: u64,
}

impl<C: Eq + Hash + Clone> LogSampler<C> {
    /// Creates a sampler that has seen no message.
    #[must_use]
    pub fn new(max_causes: usize) -> Self {
        Self {
            counts: HashMap::new(),
            others: 0,
            max_causes,
        }
    }

    /// Returns true if the cause is new. The caller then logs it. Otherwise the cause is counted,
    /// and [`LogSampler::take`] returns the count.
    pub fn is_new(&mut self, cause: C) -> bool {
        if let Some(count) = self.counts.get_mut(&cause) {
            *count += 1;
            return false;
        }
        if self.counts.len() >= self.max_causes {
            self.others += 1;
            return false;
        }
        self.counts.insert(cause, 0);
        true
    }

    /// Returns the counts since the previous call and resets them. A cause that did not occur since
    /// then is forgotten, so that it is new again.
    pub fn take(&mut self) -> Counts<C> {
        self.counts.retain(|_, count| *count > 0);
        let mut by_cause: Vec<_> = self
            .counts
            .iter_mut()
            .map(|(cause, count)| (cause.clone(), std::mem::take(count)))
            .collect();
        by_cause.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Counts {
            by_cause,
            others: std::mem::take(&mut self.others),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_new_once_and_then_counted_for_each_period() {
        let mut log_sampler = LogSampler::new(2);
        let new: Vec<bool> = ["a", "b", "b", "a", "b", "c"]
            .map(|cause| log_sampler.is_new(cause))
            .into();
        assert_eq!(new, [true, true, false, false, false, false]);
        let counts = log_sampler.take();
        assert_eq!(counts.by_cause, [("b", 2), ("a", 1)]);
        assert_eq!(counts.others, 1);
        assert!(!log_sampler.is_new("a"), "it occurred in the last period");
        assert_eq!(log_sampler.take().by_cause, [("a", 1)]);
        assert!(log_sampler.take().by_cause.is_empty());
        assert!(log_sampler.is_new("b"));
    }
}
