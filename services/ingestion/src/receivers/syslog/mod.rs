//! Syslog over UDP, TCP and TLS. Syslog has no acknowledgement, so messages that cannot
//! be recorded are kept in memory and retried.

pub mod connections;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use jiff::tz::TimeZone;
use rollcall_attendance::event::{Arrival, Event, FieldError};
use rollcall_formats::syslog::{Context, Found, Frames, Matched, parse};
use rollcall_store::{events::Reported, sources::SourceOfAddress};

use crate::{
    arrivals::Arrivals,
    counts,
    recorder::{Recorder, Unrecorded},
    rules::CurrentRules,
    source_networks::SourceNetworks,
};

const RECEIVER: &str = "syslog";
/// Time between two attempts to record messages.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);
/// Maximum number of attempts for a datagram, which is kept in memory meanwhile: one minute.
const ATTEMPTS: usize = 120;

/// Handles syslog messages.
#[derive(Clone)]
pub struct Syslog {
    /// Look-up of the source of an address.
    pub source_networks: SourceNetworks,
    /// Recorder of the events.
    pub recorder: Arc<Recorder>,
    /// Clock and tolerances for the times of events.
    pub arrivals: Arrivals,
    /// Rules for messages without structured data.
    pub rules: CurrentRules,
    /// Time zone of times without an offset, for a source that has none of its own.
    pub zone: TimeZone,
    /// SD-ID of the structured data that contains an event.
    pub data_id: String,
}

impl Syslog {
    /// Records a datagram (RFC 5426). If the database does not answer, this is retried for a
    /// minute.
    pub async fn datagram(&self, peer: SocketAddr, message: &[u8]) {
        let Some(source) = self.source_networks.source_of(RECEIVER, peer.ip()).await else {
            return;
        };
        if let Err(reason) = connections::plain(&source) {
            return counts::reject(RECEIVER, &source.name, &reason);
        }
        let messages = [String::from_utf8_lossy(message).into_owned()];
        let arrival = self.arrivals.now();
        for _ in 0..ATTEMPTS {
            if self.record(&source, &messages, &arrival).await.is_ok() {
                return;
            }
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
        counts::reject(
            RECEIVER,
            &source.name,
            &"the database did not answer for a minute: the message was lost",
        );
    }

    /// Records the events in the messages. Invalid messages are counted and logged.
    ///
    /// # Errors
    /// Some events may not be recorded. The caller can retry.
    async fn record(
        &self,
        source: &SourceOfAddress,
        messages: &[String],
        arrival: &Arrival,
    ) -> Result<(), Unrecorded> {
        let parsed = self.parse(source, messages, arrival);
        let (mut events, mut rejected) = (Vec::new(), parsed.rejected);
        for (message, matched) in parsed.events {
            match Event::parse_all(matched.raw, arrival) {
                Ok(parsed) => events.extend(parsed.into_iter().map(|event| Reported {
                    source_id: source.source_id,
                    event,
                })),
                Err(error) => rejected.push((message, error)),
            }
        }
        let recorded = self.recorder.record(events).await?;
        counts::count_recorded(RECEIVER, &source.name, &recorded);
        counts::count(RECEIVER, "ignored", parsed.ignored);
        counts::count(RECEIVER, "unmatched", parsed.unmatched);
        for (message, error) in &rejected {
            let message = messages.get(*message).map(String::as_str);
            counts::reject_message(RECEIVER, &source.name, error, message);
        }
        Ok(())
    }

    /// Returns the time zone of times without an offset.
    fn zone(&self, source: &SourceOfAddress) -> TimeZone {
        let zone = source.time_zone.as_deref();
        zone.and_then(|zone| TimeZone::get(zone).ok())
            .unwrap_or_else(|| self.zone.clone())
    }

    fn parse(&self, source: &SourceOfAddress, messages: &[String], arrival: &Arrival) -> Parsed {
        let rules = self.rules.now();
        let context = Context {
            data_id: &self.data_id,
            rules: &rules,
            zone: self.zone(source),
            received_at: arrival.at,
        };
        let mut parsed = Parsed::default();
        for (index, message) in messages.iter().enumerate() {
            match parse(message, &context) {
                Ok(Found::Events(events)) => {
                    let events = events.into_iter().map(|event| (index, event));
                    parsed.events.extend(events);
                }
                Ok(Found::Ignored(_)) => parsed.ignored += 1,
                Ok(Found::Unmatched) => parsed.unmatched += 1,
                Err(error) => parsed.rejected.push((index, error)),
            }
        }
        parsed
    }
}

/// Content of several messages.
#[derive(Default)]
struct Parsed {
    /// Events, each with the index of its message.
    events: Vec<(usize, Matched)>,
    /// Errors, each with the index of its message.
    rejected: Vec<(usize, FieldError)>,
    /// Number of records that a rule takes without making an event.
    ignored: usize,
    /// Number of records that no rule takes.
    unmatched: usize,
}

/// Returns the complete messages, and the reason why no more can be read after an invalid frame.
fn messages(frames: &mut Frames) -> (Vec<String>, Option<FieldError>) {
    let mut messages = Vec::new();
    loop {
        match frames.take() {
            Ok(Some(message)) => messages.push(String::from_utf8_lossy(message).into_owned()),
            Ok(None) => return (messages, None),
            Err(error) => return (messages, Some(error)),
        }
    }
}
