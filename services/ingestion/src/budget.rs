//! Memory budget for the bodies of all requests. A body that does not fit gets 503 and can be sent
//! again.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rollcall_platform::envelope::Problem;

/// Maximum size of a small body in bytes. A quarter of the budget is reserved for small bodies, so
/// that large bodies never block single events.
pub const MAX_SMALL_BYTES: usize = 64 * 1024;

/// Bytes of memory needed for each byte of a body while it is parsed and recorded.
pub const EXPANSION: usize = 3;

/// Maximum and current memory usage of all bodies together.
pub struct Budget {
    small: Mutex<Share>,
    large: Mutex<Share>,
}

/// Share of the budget for small or for large bodies. One source may hold at most half of a share,
/// so that its slow requests do not block other sources.
struct Share {
    max: usize,
    used: usize,
    of_source: HashMap<i32, usize>,
}

impl Share {
    fn new(max: usize) -> Mutex<Self> {
        Mutex::new(Self {
            max,
            used: 0,
            of_source: HashMap::new(),
        })
    }

    fn take(&mut self, source_id: i32, bytes: usize) -> bool {
        let of_source = self.of_source.get(&source_id).unwrap_or(&0) + bytes;
        let fits = self.used + bytes <= self.max && of_source <= self.max / 2;
        if fits {
            self.used += bytes;
            self.of_source.insert(source_id, of_source);
        }
        fits
    }

    fn give_back(&mut self, source_id: i32, bytes: usize) {
        self.used -= bytes;
        if let Some(of_source) = self.of_source.get_mut(&source_id) {
            *of_source -= bytes;
            if *of_source == 0 {
                self.of_source.remove(&source_id);
            }
        }
    }
}

/// Part of the budget that a request uses until this value is dropped.
pub struct Held<'a> {
    budget: &'a Budget,
    source_id: i32,
    bytes: usize,
}

impl Budget {
    /// Creates a budget of `bytes` bytes for bodies of at most `body_bytes` bytes each.
    ///
    /// # Errors
    /// The budget is too small for the largest body.
    pub fn new(bytes: usize, body_bytes: usize) -> Result<Self, String> {
        let small_max = bytes / 4;
        let large_max = bytes - small_max;
        let least = body_bytes * EXPANSION;
        if large_max / 2 < least {
            return Err(format!(
                "ingestion.body_budget_bytes must be at least 8 times server.body_bytes, which is \
                 {} (got {bytes})",
                8 * body_bytes
            ));
        }
        Ok(Self {
            small: Share::new(small_max),
            large: Share::new(large_max),
        })
    }

    /// Acquires memory for a body of `bytes` bytes.
    ///
    /// # Errors
    /// 503 if the budget is used up.
    pub fn hold(&self, source_id: i32, bytes: usize) -> Result<Held<'_>, Problem> {
        let bytes = bytes * EXPANSION;
        if self.share(bytes).take(source_id, bytes) {
            return Ok(Held {
                budget: self,
                source_id,
                bytes,
            });
        }
        Err(Problem::unavailable(
            "Too many bodies are being received at the moment. Send the events again, or in \
             smaller parts.",
        ))
    }

    /// Returns the share for a body that needs `bytes` bytes of memory.
    fn share(&self, bytes: usize) -> MutexGuard<'_, Share> {
        let is_small = bytes <= MAX_SMALL_BYTES * EXPANSION;
        let share = if is_small { &self.small } else { &self.large };
        share.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.budget
            .share(self.bytes)
            .give_back(self.source_id, self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn large_bodies_leave_memory_for_small_bodies_and_other_sources() {
        let budget = Budget::new(128 * MIB, 16 * MIB).expect("a budget");
        let first = budget.hold(1, 16 * MIB).expect("held");
        assert!(budget.hold(1, 16 * MIB).is_err(), "half is for others");
        let second = budget.hold(2, 16 * MIB).expect("held");
        assert!(budget.hold(3, 16 * MIB).is_err(), "all is held");
        assert!(budget.hold(1, MAX_SMALL_BYTES).is_ok());
        drop(first);
        assert!(budget.hold(3, 16 * MIB).is_ok());
        drop(second);
        for share in [&budget.small, &budget.large] {
            let share = share.lock().expect("a share");
            assert_eq!((share.used, share.of_source.len()), (0, 0));
        }
    }

    #[test]
    fn source_holds_at_most_half_the_memory_for_small_bodies() {
        let budget = Budget::new(8 * MIB, MIB).expect("a budget");
        let hold_all = |source_id| -> Vec<_> {
            (0..100)
                .map_while(|_| budget.hold(source_id, MAX_SMALL_BYTES).ok())
                .collect()
        };
        let first = hold_all(1);
        assert_eq!(first.len(), MIB / (MAX_SMALL_BYTES * EXPANSION));
        let second = hold_all(2);
        assert_eq!(second.len(), first.len());
        assert!(budget.hold(3, MIB).is_ok());
    }

    #[test]
    fn budget_smaller_than_the_largest_body_returns_error() {
        assert!(Budget::new(127 * MIB, 16 * MIB).is_err());
    }
}
