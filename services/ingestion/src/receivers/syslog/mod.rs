//! Syslog over UDP, TCP and TLS. Syslog has no acknowledgement, so messages that cannot
//! be recorded are kept in memory and retried.

pub mod connections;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use jiff::tz::TimeZone;
use rollcall_attendance::event::{Arrival, Event, FieldError, RawEvent};
use rollcall_formats::syslog::{Context, Found, Frames, Logins, Matched, parse};
use rollcall_store::{Pool, events::Reported, sessions, sources::SourceOfAddress};

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
    /// Database in which sessions are looked up.
    pub pool: Pool,
    /// Look-up of the source of an address.
    pub source_networks: SourceNetworks,
    /// Recorder of the events.
    pub recorder: Arc<Recorder>,
    /// Clock and tolerances for the times of events.
    pub arrivals: Arrivals,
    /// Rules for messages without structured data.
    pub rules: CurrentRules,
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
        let parsed = self.parse(messages, arrival);
        let (mut events, mut rejected) = (Vec::new(), parsed.rejected);
        let mut logins = Logins::default();
        for matched in parsed.events {
            let raw = self.resolve(source, matched, &mut logins).await?;
            match Event::parse_all(raw, arrival) {
                Ok(parsed) => events.extend(parsed.into_iter().map(|event| Reported {
                    source_id: source.source_id,
                    event,
                })),
                Err(error) => rejected.push(error),
            }
        }
        let recorded = self.recorder.record(events).await?;
        counts::count_recorded(RECEIVER, &source.name, &recorded);
        counts::count(RECEIVER, "ignored", parsed.ignored);
        counts::count(RECEIVER, "unmatched", parsed.unmatched);
        for error in &rejected {
            counts::reject(RECEIVER, &source.name, error);
        }
        Ok(())
    }

    fn parse(&self, messages: &[String], arrival: &Arrival) -> Parsed {
        let rules = self.rules.now();
        let context = Context {
            data_id: &self.data_id,
            rules: &rules,
            zone: TimeZone::UTC,
            received_at: arrival.at,
        };
        let mut parsed = Parsed::default();
        for message in messages {
            match parse(message, &context) {
                Ok(Found::Events(events)) => parsed.events.extend(events),
                Ok(Found::Ignored(_)) => parsed.ignored += 1,
                Ok(Found::Unmatched) => parsed.unmatched += 1,
                Err(error) => parsed.rejected.push(error),
            }
        }
        parsed
    }

    /// Returns the raw event of a line with its session ID. A login that is not among the current
    /// messages is looked up in the database.
    async fn resolve(
        &self,
        source: &SourceOfAddress,
        matched: Matched,
        logins: &mut Logins,
    ) -> Result<RawEvent, Unrecorded> {
        let matched = match logins.resolve(matched) {
            Ok(raw) => return Ok(raw),
            Err(matched) => matched,
        };
        let Some(at) = matched.occurred_at() else {
            return Ok(matched.session(None));
        };
        let asked = self.pool.ask(async |connection| {
            sessions::latest_login(connection, source.source_id, &matched.key, at).await
        });
        let login = asked.await.map_err(|error| {
            tracing::error!(%error, receiver = RECEIVER, "Failed to look up a session");
            Unrecorded::Unavailable
        })?;
        Ok(matched.session(login.as_deref()))
    }
}

/// Content of several messages.
#[derive(Default)]
struct Parsed {
    events: Vec<Matched>,
    rejected: Vec<FieldError>,
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
