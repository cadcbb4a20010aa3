//! Syslog (RFC 5424), over UDP, TCP and TLS. Syslog has no acknowledgement, so messages that cannot
//! be recorded are kept in memory and retried.

pub mod connections;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rollcall_attendance::event::{Event, FieldError};
use rollcall_formats::syslog::{Found, Frames, Rules, parse};
use rollcall_store::{events::Reported, sources::SourceOfAddress};

use crate::{
    arrivals::Arrivals,
    counts,
    recorder::{Recorder, Unrecorded},
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
    /// Rules for free text.
    pub rules: Arc<Rules>,
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
        for _ in 0..ATTEMPTS {
            if self.record(&source, &messages).await.is_ok() {
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
    ) -> Result<(), Unrecorded> {
        let arrival = self.arrivals.now();
        let mut events = Vec::new();
        let mut bad = Vec::new();
        let mut ignored = 0;
        for message in messages {
            let raw = match parse(message, &self.data_id, &self.rules) {
                Ok(Found::Structured(raw)) => raw,
                Ok(Found::Matched(matched)) => matched.raw,
                Ok(Found::Nothing) => {
                    ignored += 1;
                    continue;
                }
                Err(error) => {
                    bad.push(error);
                    continue;
                }
            };
            match Event::parse_all(raw, &arrival) {
                Ok(parsed) => events.extend(parsed.into_iter().map(|event| Reported {
                    source_id: source.source_id,
                    event,
                })),
                Err(error) => bad.push(error),
            }
        }
        let recorded = self.recorder.record(events).await?;
        counts::count_recorded(RECEIVER, &source.name, &recorded);
        counts::count(RECEIVER, "ignored", ignored);
        for error in &bad {
            counts::reject(RECEIVER, &source.name, error);
        }
        Ok(())
    }
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
