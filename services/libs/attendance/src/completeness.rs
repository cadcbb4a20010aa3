//! Completeness: whether all sources have reported everything up to an instant.

use jiff::{SignedDuration, Timestamp};

/// Facts about a source on which completeness depends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Registration. The source does not count before.
    pub created_at: Timestamp,
    /// Disabling. The source does not count from then on.
    pub disabled_at: Option<Timestamp>,
    /// Latest instant up to which the source says that it has reported everything.
    pub complete_through: Option<Timestamp>,
    /// The source is assumed to have reported everything up to this long before now. None if it
    /// states its completeness itself.
    pub assume_complete_after: Option<SignedDuration>,
}

/// Completeness of all sources at one moment.
#[derive(Debug, Clone)]
pub struct Completeness {
    /// The intervals, each from `.0` (included) to `.1` (not included), in which a source counts
    /// that is not yet complete. None: no end.
    incomplete: Vec<(Timestamp, Option<Timestamp>)>,
}

impl Completeness {
    /// Returns the completeness of `sources` at `now`. Sources that only import do not count, so
    /// they are not among them.
    #[must_use]
    pub fn new(sources: &[Source], now: Timestamp) -> Self {
        let incomplete = sources
            .iter()
            .filter_map(|source| source.incomplete(now))
            .collect();
        Self { incomplete }
    }

    /// Returns true if every source that counts at `at` has reported everything up to it.
    #[must_use]
    pub fn covers(&self, at: Timestamp) -> bool {
        let lacks =
            |(from, to): &(Timestamp, Option<Timestamp>)| *from < at && to.is_none_or(|to| at < to);
        !self.incomplete.iter().any(lacks)
    }
}

impl Source {
    /// Returns the instant up to which the source has reported everything at `now`.
    #[must_use]
    pub fn complete_through(&self, now: Timestamp) -> Option<Timestamp> {
        let assumed = self
            .assume_complete_after
            .and_then(|after| now.checked_sub(after).ok());
        self.complete_through.max(assumed)
    }

    fn incomplete(&self, now: Timestamp) -> Option<(Timestamp, Option<Timestamp>)> {
        let through = self.complete_through(now);
        let from = through.map_or(self.created_at, |through| through.max(self.created_at));
        match self.disabled_at {
            Some(disabled_at) if disabled_at <= from => None,
            disabled_at => Some((from, disabled_at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::new(second, 0).expect("a small instant")
    }

    fn source(created: i64, disabled: Option<i64>, complete: Option<i64>) -> Source {
        Source {
            created_at: at(created),
            disabled_at: disabled.map(at),
            complete_through: complete.map(at),
            assume_complete_after: None,
        }
    }

    fn covered(sources: &[Source], instants: [i64; 4]) -> [bool; 4] {
        let completeness = Completeness::new(sources, at(100));
        instants.map(|instant| completeness.covers(at(instant)))
    }

    #[test]
    fn all_sources_that_count_must_be_complete() {
        let sources = [source(0, None, Some(50)), source(0, None, Some(30))];
        assert_eq!(
            covered(&sources, [29, 30, 31, 51]),
            [true, true, false, false]
        );
        assert_eq!(covered(&[], [0, 1, 2, 1000]), [true; 4]);
    }

    #[test]
    fn source_counts_from_its_registration_to_its_disabling() {
        let sources = [source(10, Some(40), Some(20))];
        assert_eq!(
            covered(&sources, [9, 20, 39, 40]),
            [true, true, false, true]
        );
        let silent = [source(10, None, None)];
        assert_eq!(
            covered(&silent, [9, 10, 11, 40]),
            [true, true, false, false]
        );
    }

    #[test]
    fn assumed_completeness_moves_with_now() {
        let mut assumed = source(0, None, Some(10));
        assumed.assume_complete_after = Some(SignedDuration::from_secs(30));
        assert_eq!(
            covered(&[assumed], [10, 70, 71, 99]),
            [true, true, false, false]
        );
    }
}
