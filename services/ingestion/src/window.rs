//! Passes the events of a request to the recorder in parts of limited size (windows), so that a
//! large request takes no more memory than a small one.

use actix_web::http::StatusCode;
use rollcall_attendance::event::Event;
use rollcall_formats::json::{Item, Unreadable};
use rollcall_platform::envelope::Problem;
use rollcall_store::{
    batch::Recorded,
    events::{Outcome, Receiver, Reported},
    sources::SourceOfKey,
};
use rollcall_wire::{IngestionResult, Rejection};

use crate::{
    counts::count,
    ingestion_result,
    recorder::Recorder,
    rejected_inputs::{REFUSED, RejectedInputs},
};

const RECEIVER: &str = "http";

/// Maximum number of events in a request.
pub const MAX_EVENTS: usize = 100_000;
/// Maximum number of events that are recorded at once.
const WINDOW_EVENTS: usize = 1_000;

/// Events that are not yet recorded, and the result of those before them.
pub struct Window<'a> {
    recorder: &'a Recorder,
    rejected: &'a RejectedInputs,
    source: &'a SourceOfKey,
    /// Index and event ID of each event. `None` for a derived login, which is not counted.
    places: Vec<Option<(usize, String)>>,
    events: Vec<Reported>,
    seen: usize,
    result: IngestionResult,
}

impl<'a> Window<'a> {
    /// Creates an empty window for a request of this source.
    #[must_use]
    pub fn new(
        recorder: &'a Recorder,
        rejected: &'a RejectedInputs,
        source: &'a SourceOfKey,
    ) -> Self {
        Self {
            recorder,
            rejected,
            source,
            places: Vec::new(),
            events: Vec::new(),
            seen: 0,
            result: IngestionResult::default(),
        }
    }

    /// Adds the next event of the body, which was parsed from `input`. A full window is recorded.
    ///
    /// # Errors
    /// 413 for more than [`MAX_EVENTS`] events, 503 if the window cannot be recorded.
    pub async fn add(&mut self, item: Item, input: &[u8]) -> Result<(), Problem> {
        if self.seen == MAX_EVENTS {
            return Err(too_many());
        }
        let index = self.seen;
        self.seen += 1;
        match item {
            Ok(events) => self.push(index, events),
            Err(rejection) => {
                self.sum_up(&rejection.message, input);
                self.result.reject(Rejection { index, ..rejection });
                count(RECEIVER, "rejected", 1);
            }
        }
        if self.seen.is_multiple_of(WINDOW_EVENTS) {
            self.record().await?;
        }
        Ok(())
    }

    /// Adds the events of one JSON object. The last one is the event that the client sent.
    fn push(&mut self, index: usize, events: Vec<Event>) {
        let SourceOfKey {
            source_id,
            name_rules,
        } = self.source;
        let derived = events.len().saturating_sub(1);
        for (position, event) in events.into_iter().enumerate() {
            let place = (position == derived).then(|| (index, event.event_id.clone()));
            self.places.push(place);
            self.events
                .push(Reported::new(*source_id, event, name_rules, Receiver::Http));
        }
    }

    /// Records the remaining events. Returns the result of the request.
    ///
    /// # Errors
    /// 503 if the events cannot be recorded.
    pub async fn finish(mut self) -> Result<IngestionResult, Problem> {
        self.record().await?;
        Ok(self.result.in_order())
    }

    async fn record(&mut self) -> Result<(), Problem> {
        if self.events.is_empty() {
            return Ok(());
        }
        let events = std::mem::take(&mut self.events);
        let recorded = self.recorder.record(events).await.map_err(|error| {
            Problem::unavailable(format!(
                "The events could not be recorded: {error}. Send them again."
            ))
        })?;
        let before = [
            self.result.accepted,
            self.result.duplicates,
            self.result.rejected_count,
        ];
        let places = std::mem::take(&mut self.places);
        for (place, recorded) in places.into_iter().zip(recorded) {
            if let Some((index, event_id)) = place {
                match &recorded {
                    Recorded::As(Outcome::Conflict) => {
                        self.sum_up(ingestion_result::CONFLICT, event_id.as_bytes());
                    }
                    Recorded::Refused(why) => self.sum_up(REFUSED, why.as_bytes()),
                    Recorded::As(_) => {}
                }
                ingestion_result::add(&mut self.result, index, &event_id, recorded);
            }
        }
        let after = [
            ("accepted", self.result.accepted),
            ("duplicate", self.result.duplicates),
            ("rejected", self.result.rejected_count),
        ];
        for ((outcome, after), before) in after.into_iter().zip(before) {
            if after > before {
                count(RECEIVER, outcome, after - before);
            }
        }
        Ok(())
    }

    fn sum_up(&self, reason: &str, input: &[u8]) {
        self.rejected
            .add((self.source.source_id, RECEIVER), reason, 1, input);
    }

    /// Returns 400 for a body without events, 413 for a body with too many.
    pub fn unreadable(&self, error: &Unreadable, body: &[u8]) -> Problem {
        self.sum_up(&error.to_string(), body);
        unreadable(error)
    }
}

fn too_many() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!(
            "The body has more than {MAX_EVENTS} events. Send the events in parts. Events that are \
             already recorded count as duplicates."
        ),
    )
}

/// Returns 400 for a body without events, 413 for a body with too many.
pub fn unreadable(error: &Unreadable) -> Problem {
    let status = match error {
        Unreadable::NoEvents(_) => StatusCode::BAD_REQUEST,
        Unreadable::TooMany(_) => StatusCode::PAYLOAD_TOO_LARGE,
    };
    Problem::new(status, error.to_string())
}
