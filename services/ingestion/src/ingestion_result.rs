//! The ingestion result of a request.

use rollcall_attendance::shown::cut;
use rollcall_formats::json::Rejected;
use rollcall_store::{batch::Recorded, events::Outcome};
use serde::Serialize;
use utoipa::ToSchema;

/// Maximum number of rejections that a response lists. Further ones are only counted.
const MAX_LISTED: usize = 1_000;

/// The ingestion result. Each event is counted once.
#[derive(Debug, Default, Serialize, ToSchema)]
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
#[derive(Debug, Serialize, ToSchema)]
pub struct Rejection {
    /// Index of the event in the body, starting at 0.
    pub index: usize,
    /// Event ID, truncated to 64 bytes, if it could be read.
    pub event_id: Option<String>,
    /// The invalid field, if the cause is a single field.
    pub field: Option<&'static str>,
    /// What is wrong, and which values the field accepts.
    pub message: String,
}

impl IngestionResult {
    /// Adds the outcome of an event that was passed to the recorder.
    pub fn add(&mut self, index: usize, event_id: &str, recorded: Recorded) {
        let (field, message) = match recorded {
            Recorded::As(Outcome::Accepted) => {
                self.accepted += 1;
                return;
            }
            Recorded::As(Outcome::Duplicate) => {
                self.duplicates += 1;
                return;
            }
            Recorded::As(Outcome::Conflict) => (
                Some("event_id"),
                "conflict: another event with this id is recorded".into(),
            ),
            Recorded::As(Outcome::SetAside) => (
                None,
                "is set aside: the database refused it for an unknown reason. It is kept, and the operator can replay it with \
                 scripts/rollcall source replay. Do not send it again."
                    .into(),
            ),
            Recorded::Refused(why) => (None, format!("the database refused it: {}", cut(&why))),
        };
        self.reject(
            index,
            Rejected {
                event_id: Some(cut(event_id).to_owned()),
                field,
                message,
            },
        );
    }

    /// Adds an event that was rejected.
    pub fn reject(&mut self, index: usize, rejected: Rejected) {
        self.rejected_count += 1;
        if self.rejected.len() < MAX_LISTED {
            self.rejected.push(Rejection {
                index,
                event_id: rejected.event_id,
                field: rejected.field,
                message: rejected.message,
            });
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
