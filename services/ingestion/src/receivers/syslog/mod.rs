//! Syslog over UDP, TCP and TLS. Syslog has no acknowledgement, so messages that cannot
//! be recorded are kept in memory and retried.

pub mod connections;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use jiff::tz::TimeZone;
use rollcall_attendance::event::{Arrival, Event, FieldError};
use rollcall_formats::syslog::{Context, Found, Frames, Matched, parse};
use rollcall_store::{
    events::{Receiver, Reported},
    sources::SourceOfAddress,
};

use crate::{
    arrivals::Arrivals,
    counts,
    recorder::{Recorder, Unrecorded},
    rejected_inputs::RejectedInputs,
    rules::CurrentRules,
    source_networks::SourceNetworks,
};

const RECEIVER: &str = "syslog";
/// Reason for which records that no rule takes are summed up.
const NO_RULE: &str = "no rule";
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
    /// Sums of rejected input.
    pub rejected: RejectedInputs,
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
            return self.rejected.reject(RECEIVER, &source, &reason, message);
        }
        let messages = [String::from_utf8_lossy(message).into_owned()];
        let arrival = self.arrivals.now();
        for _ in 0..ATTEMPTS {
            if self.record(&source, &messages, &arrival).await.is_ok() {
                return;
            }
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
        self.rejected.reject(
            RECEIVER,
            &source,
            &"the database did not answer for a minute: the message was lost",
            message,
        );
    }

    /// Records the events in the messages. Invalid messages are counted, logged and summed up.
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
                Ok(parsed) => {
                    events.extend(parsed.into_iter().map(|event| reported(event, source)))
                }
                Err(error) => rejected.push((message, error)),
            }
        }
        let recorded = self.recorder.record(events).await?;
        self.rejected.count_recorded(RECEIVER, source, &recorded);
        counts::count(RECEIVER, "ignored", parsed.ignored);
        counts::count(RECEIVER, "unmatched", parsed.unmatched.len());
        if let Some(latest) = parsed.unmatched.last() {
            let (key, number) = ((source.source_id, RECEIVER), parsed.unmatched.len());
            self.rejected.add(key, NO_RULE, number, latest.as_bytes());
        }
        for (message, error) in &rejected {
            self.rejected
                .reject(RECEIVER, source, error, message.as_bytes());
        }
        Ok(())
    }

    /// Returns the time zone of times without an offset.
    fn zone(&self, source: &SourceOfAddress) -> TimeZone {
        let zone = source.time_zone.as_deref();
        zone.and_then(|zone| TimeZone::get(zone).ok())
            .unwrap_or_else(|| self.zone.clone())
    }

    fn parse<'a>(
        &self,
        source: &SourceOfAddress,
        messages: &'a [String],
        arrival: &Arrival,
    ) -> Parsed<'a> {
        let rules = self.rules.now();
        let context = Context {
            data_id: &self.data_id,
            rules: &rules,
            zone: self.zone(source),
            received_at: arrival.at,
        };
        let mut parsed = Parsed::default();
        for message in messages {
            match parse(message, &context) {
                Ok(Found::Events(events)) => {
                    let events = events.into_iter().map(|event| (message.as_str(), event));
                    parsed.events.extend(events);
                }
                Ok(Found::Ignored(_)) => parsed.ignored += 1,
                Ok(Found::Unmatched) => parsed.unmatched.push(message),
                Err(error) => parsed.rejected.push((message, error)),
            }
        }
        parsed
    }
}

fn reported(event: Event, source: &SourceOfAddress) -> Reported {
    Reported::new(
        source.source_id,
        event,
        &source.name_rules,
        Receiver::Syslog,
    )
}

/// Content of several messages. Each part is with its message.
#[derive(Default)]
struct Parsed<'a> {
    events: Vec<(&'a str, Matched)>,
    rejected: Vec<(&'a str, FieldError)>,
    /// Number of records that a rule takes without making an event.
    ignored: usize,
    /// Records that no rule takes.
    unmatched: Vec<&'a str>,
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
