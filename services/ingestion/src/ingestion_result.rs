//! Turns the outcomes of the recorder into the ingestion result of a request.

use rollcall_store::{batch::Recorded, events::Outcome};
use rollcall_wire::{IngestionResult, Rejection, quote::cut};

/// Message for an event whose ID another event has.
pub const CONFLICT: &str = "event_id is in conflict: another event with this ID is recorded";

/// Adds the outcome of an event that was passed to the recorder.
pub fn add(result: &mut IngestionResult, index: usize, event_id: &str, recorded: Recorded) {
    let (field, message) = match recorded {
        Recorded::As(Outcome::Accepted) => {
            result.accepted += 1;
            return;
        }
        Recorded::As(Outcome::Duplicate) => {
            result.duplicates += 1;
            return;
        }
        Recorded::As(Outcome::Conflict) => (Some("event_id".into()), CONFLICT.into()),
        Recorded::As(Outcome::SetAside) => (
            None,
            "The event is set aside: the database refused it for an unknown reason. The event is \
             kept, and the operator can replay it with scripts/rollcall source replay. Do not \
             send it again."
                .into(),
        ),
        Recorded::Refused(why) => (
            None,
            format!("The database refused the event: {}", cut(&why)),
        ),
    };
    result.reject(Rejection {
        index,
        event_id: Some(cut(event_id).to_owned()),
        field,
        message,
    });
}
