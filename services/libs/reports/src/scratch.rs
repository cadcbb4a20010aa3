//! The budget of the scratch directory, in which workbooks are written before they are sent.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Size of the cells of a row beside its texts, in bytes.
const ROW_BYTES: u64 = 500;

/// Bytes of the scratch directory that are in use.
#[derive(Debug, Clone)]
pub struct Scratch {
    used: Arc<AtomicU64>,
    max_bytes: u64,
}

/// The part of the budget that one file uses. Dropping this value releases it.
#[derive(Debug)]
pub struct ScratchUse {
    scratch: Scratch,
    bytes: u64,
}

/// The files together would exceed the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the scratch files exceed reporting.scratch_bytes")]
pub struct ScratchFullError;

impl Scratch {
    /// Creates a budget.
    #[must_use]
    pub fn new(max_bytes: u64) -> Self {
        Self {
            used: Arc::default(),
            max_bytes,
        }
    }

    /// Begins a file, which uses nothing yet.
    #[must_use]
    pub fn begin(&self) -> ScratchUse {
        ScratchUse {
            scratch: self.clone(),
            bytes: 0,
        }
    }
}

impl ScratchUse {
    /// Counts a row whose texts have `text_bytes` together.
    ///
    /// # Errors
    /// The row does not fit into the budget.
    pub fn add_row(&mut self, text_bytes: usize) -> Result<(), ScratchFullError> {
        let bytes = ROW_BYTES + text_bytes as u64;
        let used = self.scratch.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.bytes += bytes;
        if used > self.scratch.max_bytes {
            return Err(ScratchFullError);
        }
        Ok(())
    }
}

impl Drop for ScratchUse {
    fn drop(&mut self) {
        self.scratch.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_that_ends_releases_its_part_of_the_budget() {
        let scratch = Scratch::new(3 * ROW_BYTES);
        let (mut first, mut second) = (scratch.begin(), scratch.begin());
        assert_eq!(first.add_row(0), Ok(()));
        assert_eq!(first.add_row(500), Ok(()));
        assert_eq!(second.add_row(0), Err(ScratchFullError));
        drop(first);
        assert_eq!(second.add_row(0), Ok(()));
        assert_eq!(second.add_row(0), Ok(()));
        assert_eq!(second.add_row(1), Err(ScratchFullError));
    }
}
