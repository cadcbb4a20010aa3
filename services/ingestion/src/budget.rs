//! Memory budget for the bodies of all requests. A body that does not fit gets 503 and can be sent
//! again.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rollcall_platform::envelope::Problem;

/// Maximum size of a small body. A quarter of the budget is reserved for small bodies, so that
/// large bodies never block single events.
pub const SMALL_BYTES: usize = 64 * 1024;

/// Bytes of memory needed for each byte of a body while it is parsed and recorded.
pub const EXPANSION: usize = 3;

/// Maximum and current memory usage of all bodies together.
pub struct Budget {
    small_max: usize,
    large_max: usize,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    small: usize,
    large: usize,
    large_of_source: HashMap<i32, usize>,
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
                "ingestion.body_budget_bytes must be at least 8 times server.body_bytes, which is {} (got {bytes})",
                8 * body_bytes
            ));
        }
        Ok(Self {
            small_max,
            large_max,
            used: Mutex::default(),
        })
    }

    /// Acquires memory for a body of `bytes` bytes. One source can acquire at most half of the
    /// budget for large bodies, so that its slow requests do not block other sources.
    ///
    /// # Errors
    /// 503 if the budget is used up.
    pub fn hold(&self, source_id: i32, bytes: usize) -> Result<Held<'_>, Problem> {
        let bytes = bytes * EXPANSION;
        if self.take(source_id, bytes) {
            return Ok(Held {
                budget: self,
                source_id,
                bytes,
            });
        }
        Err(Problem::unavailable(
            "Too many bodies are being received at once. Send the events again, or in smaller parts.",
        ))
    }

    fn take(&self, source_id: i32, bytes: usize) -> bool {
        let mut used = self.used();
        if is_small(bytes) {
            let small = used.small + bytes;
            let fits = small <= self.small_max;
            if fits {
                used.small = small;
            }
            return fits;
        }
        let large = used.large + bytes;
        let of_source = used.large_of_source.get(&source_id).unwrap_or(&0) + bytes;
        let fits = large <= self.large_max && of_source <= self.large_max / 2;
        if fits {
            used.large = large;
            used.large_of_source.insert(source_id, of_source);
        }
        fits
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_small(bytes: usize) -> bool {
    bytes <= SMALL_BYTES * EXPANSION
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut used = self.budget.used();
        if is_small(self.bytes) {
            used.small -= self.bytes;
            return;
        }
        used.large -= self.bytes;
        if let Some(of_source) = used.large_of_source.get_mut(&self.source_id) {
            *of_source -= self.bytes;
            if *of_source == 0 {
                used.large_of_source.remove(&self.source_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn large_bodies_leave_room_for_small_ones_and_for_other_sources() {
        let budget = Budget::new(128 * MIB, 16 * MIB).expect("a budget");
        let first = budget.hold(1, 16 * MIB).expect("held");
        assert!(budget.hold(1, 16 * MIB).is_err(), "half is for others");
        let second = budget.hold(2, 16 * MIB).expect("held");
        assert!(budget.hold(3, 16 * MIB).is_err(), "all is held");
        assert!(budget.hold(1, SMALL_BYTES).is_ok());
        drop(first);
        assert!(budget.hold(3, 16 * MIB).is_ok());
        drop(second);
        let used = budget.used();
        assert_eq!(
            (used.small, used.large, used.large_of_source.len()),
            (0, 0, 0)
        );
    }

    #[test]
    fn small_bodies_have_an_end_too() {
        let budget = Budget::new(8 * MIB, MIB).expect("a budget");
        let held: Vec<_> = (0..100)
            .map_while(|_| budget.hold(1, SMALL_BYTES).ok())
            .collect();
        assert_eq!(held.len(), 2 * MIB / (SMALL_BYTES * EXPANSION));
        assert!(budget.hold(2, MIB).is_ok());
    }

    #[test]
    fn a_budget_that_holds_no_whole_body_is_refused() {
        assert!(Budget::new(127 * MIB, 16 * MIB).is_err());
    }
}
