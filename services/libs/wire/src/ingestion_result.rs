//! The response of the ingestion API.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Maximum number of rejections that a response lists. Further ones are only counted.
const MAX_LISTED: usize = 1_000;

/// The ingestion result of a request. Each event of the request is counted once.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct IngestionResult {
    /// Number of events that are new and now on disk.
    pub accepted: usize,
    /// Number of events that were already on disk with the same content.
    pub duplicates: usize,
    /// Number of events that were rejected.
    pub rejected_count: usize,
    /// The rejected events, at most 1,000. Correct them and send them again.
    #[schema(max_items = 1000)]
    pub rejected: Vec<Rejection>,
}

/// An event that was not recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Rejection {
    /// Index of the event in the body, starting at 0.
    pub index: usize,
    /// Event ID, truncated to 64 bytes, if it could be read.
    pub event_id: Option<String>,
    /// The invalid field, if the cause is a single field.
    pub field: Option<String>,
    /// Says what is wrong and which values the field accepts.
    pub message: String,
}

impl IngestionResult {
    /// Adds an event that was rejected.
    pub fn reject(&mut self, rejection: Rejection) {
        self.rejected_count += 1;
        if self.rejected.len() < MAX_LISTED {
            self.rejected.push(rejection);
        }
    }

    /// Sorts the rejections by index.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.rejected
            .sort_unstable_by_key(|rejection| rejection.index);
        self
    }
}
