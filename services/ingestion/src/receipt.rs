//! The answer to a request: what became of each of its events.

use rollcall_attendance::shown::cut;
use rollcall_formats::json::Rejected;
use rollcall_store::events::Outcome;
use serde::Serialize;
use utoipa::ToSchema;

use crate::recorder::Recorded;

/// Maximum number of rejections that an answer lists; the others are counted.
const MAX_LISTED: usize = 1_000;

/// What became of the events: each is counted once.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Receipt {
    /// New, and on disk.
    pub accepted: usize,
    /// On disk already, with the same content.
    pub duplicates: usize,
    /// How many were rejected.
    pub rejected_count: usize,
    /// Not recorded: mend them and send them again. At most 1,000 are listed.
    #[schema(max_items = 1000)]
    pub rejected: Vec<Rejection>,
}

/// An event that was not recorded.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rejection {
    /// Its place in the body, from 0.
    pub index: usize,
    /// Its id, if it could be read, cut to 64 bytes.
    pub event_id: Option<String>,
    /// The field at fault, if it is one.
    pub field: Option<&'static str>,
    /// What is wrong, and what the field takes.
    pub message: String,
}

impl Receipt {
    /// Adds what became of an event that reached the recorder.
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

    /// Puts the rejections into the order of the body.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.rejected
            .sort_unstable_by_key(|rejection| rejection.index);
        self
    }
}
