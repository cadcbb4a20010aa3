//! Syslog (RFC 5424), over UDP, TCP and TLS. Syslog has no acknowledgement, so messages that cannot
//! be recorded are kept in memory and retried.

pub mod connections;

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use jiff::Timestamp;
use rollcall_attendance::event::{Event, FieldError, RawEvent};
use rollcall_formats::syslog::{Found, Frames, Matched, Rules, parse};
use rollcall_store::{Pool, events::Reported, sessions, sources::SourceOfAddress};

use crate::{
    arrivals::Arrivals,
    counts,
    recorder::{Recorder, Unrecorded},
    source_networks::SourceNetworks,
};

const DOOR: &str = "syslog";
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
    /// Rules for free text.
    pub rules: Arc<Rules>,
    /// SD-ID of the structured data that contains an event.
    pub data_id: String,
}

impl Syslog {
    /// Records a datagram (RFC 5426). If the database does not answer, this is retried for a
    /// minute.
    pub async fn datagram(&self, peer: SocketAddr, message: &[u8]) {
        let Some(source) = self.source_networks.source_of(DOOR, peer.ip()).await else {
            return;
        };
        if let Err(reason) = connections::plain(&source) {
            return counts::reject(DOOR, &source.name, &reason);
        }
        let messages = [String::from_utf8_lossy(message).into_owned()];
        for _ in 0..ATTEMPTS {
            if self.record(&source, &messages).await.is_ok() {
                return;
            }
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
        counts::reject(
            DOOR,
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
        let mut begun = DerivedLogin::default();
        let mut events = Vec::new();
        let mut bad = Vec::new();
        let mut ignored = 0;
        for message in messages {
            let raw = match parse(message, &self.data_id, &self.rules) {
                Ok(Found::Stated(raw)) => raw,
                Ok(Found::Matched(matched)) => self.named(source, matched, &mut begun).await?,
                Ok(Found::Nothing) => {
                    ignored += 1;
                    continue;
                }
                Err(refusal) => {
                    bad.push(refusal);
                    continue;
                }
            };
            match Event::parse(raw, &arrival) {
                Ok(event) => events.push(Reported {
                    source_id: source.source_id,
                    event,
                }),
                Err(refusal) => bad.push(refusal),
            }
        }
        let recorded = self.recorder.record(events).await?;
        counts::count_recorded(DOOR, &source.name, &recorded);
        counts::count(DOOR, "ignored", ignored);
        for refusal in &bad {
            counts::reject(DOOR, &source.name, refusal);
        }
        Ok(())
    }

    /// Returns the raw event of a matched message with its session ID, which is that of the latest
    /// login with the same correlation key.
    async fn named(
        &self,
        source: &SourceOfAddress,
        matched: Matched,
        begun: &mut DerivedLogin,
    ) -> Result<RawEvent, Unrecorded> {
        let at: Option<Timestamp> = matched
            .raw
            .occurred_at
            .as_deref()
            .and_then(|at| at.parse().ok());
        let (Some(at), false) = (at, matched.key.is_empty()) else {
            return Ok(matched.session(None));
        };
        // The session ID contains the login time in UTC.
        if matched.begins() {
            let login = at.to_string();
            begun
                .0
                .entry(matched.key.clone())
                .or_default()
                .push((at, login.clone()));
            return Ok(matched.session(Some(&login)));
        }
        if let Some(login) = begun.latest(&matched.key, at) {
            return Ok(matched.session(Some(&login)));
        }
        let asked = self.pool.ask(async |connection| {
            sessions::latest_login(connection, source.source_id, &matched.key, at).await
        });
        let login = asked.await.map_err(|error| {
            tracing::error!(%error, receiver = DOOR, "Failed to look up a session");
            Unrecorded::Unavailable
        })?;
        Ok(matched.session(login.as_deref()))
    }
}

/// Logins in the current messages, by correlation key.
#[derive(Default)]
struct DerivedLogin(HashMap<String, Vec<(Timestamp, String)>>);

impl DerivedLogin {
    fn latest(&self, key: &str, at: Timestamp) -> Option<String> {
        let before = self.0.get(key)?.iter().filter(|(login, _)| *login <= at);
        before
            .max_by_key(|(login, _)| *login)
            .map(|(_, login)| login.clone())
    }
}

/// Returns the complete messages, and the reason why no more can be read after an invalid frame.
fn messages(frames: &mut Frames) -> (Vec<String>, Option<FieldError>) {
    let mut messages = Vec::new();
    loop {
        match frames.take() {
            Ok(Some(message)) => messages.push(String::from_utf8_lossy(message).into_owned()),
            Ok(None) => return (messages, None),
            Err(refusal) => return (messages, Some(refusal)),
        }
    }
}
