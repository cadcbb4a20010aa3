//! Syslog (RFC 5424), by datagrams and by connections. It has no acknowledgement: what the database
//! does not take now is kept here and tried again.

pub mod connections;

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use jiff::Timestamp;
use rollcall_attendance::event::{Draft, Event, Refusal};
use rollcall_formats::syslog::{Found, Frames, Matched, Rules, parse};
use rollcall_store::{Pool, events::Reported, sessions, sources::Sender};

use crate::{
    arrivals::Arrivals,
    counts,
    recorder::{Recorder, Unrecorded},
    senders::Senders,
};

const DOOR: &str = "syslog";
/// Time between two attempts at the database.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);
/// Attempts for a datagram, which takes room in memory for so long: a minute.
const ATTEMPTS: usize = 120;

/// Handles syslog messages.
#[derive(Clone)]
pub struct Syslog {
    /// To look sessions up in.
    pub pool: Pool,
    /// Who sends.
    pub senders: Senders,
    /// Where events go.
    pub recorder: Arc<Recorder>,
    /// When they come.
    pub arrivals: Arrivals,
    /// What free text means.
    pub rules: Arc<Rules>,
    /// Which structured data is an event.
    pub data_id: String,
}

impl Syslog {
    /// Records a datagram (RFC 5426). While the database does not answer, it waits here for a
    /// minute.
    pub async fn datagram(&self, peer: SocketAddr, message: &[u8]) {
        let Some(source) = self.senders.source_of(DOOR, peer.ip()).await else {
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
            &"the database did not answer for a minute: the message is lost",
        );
    }

    /// Records what the messages say. Bad ones are counted and logged; an error says that nothing is certain and that it can be tried again.
    async fn record(&self, source: &Sender, messages: &[String]) -> Result<(), Unrecorded> {
        let arrival = self.arrivals.now();
        let mut begun = Begun::default();
        let mut events = Vec::new();
        let mut bad = Vec::new();
        let mut ignored = 0;
        for message in messages {
            let draft = match parse(message, &self.data_id, &self.rules) {
                Ok(Found::Stated(draft)) => draft,
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
            match Event::parse(draft, &arrival) {
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

    /// Gives what a rule found the id of its session: that of the latest login of its name.
    async fn named(
        &self,
        source: &Sender,
        matched: Matched,
        begun: &mut Begun,
    ) -> Result<Draft, Unrecorded> {
        let at: Option<Timestamp> = matched
            .draft
            .occurred_at
            .as_deref()
            .and_then(|at| at.parse().ok());
        let (Some(at), false) = (at, matched.key.is_empty()) else {
            return Ok(matched.session(None));
        };
        // Instants are compared as the id has them: in UTC.
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
            tracing::error!(%error, door = DOOR, "sessions cannot be looked up");
            Unrecorded::Unavailable
        })?;
        Ok(matched.session(login.as_deref()))
    }
}

/// Logins of the messages at hand, by the name of their session.
#[derive(Default)]
struct Begun(HashMap<String, Vec<(Timestamp, String)>>);

impl Begun {
    fn latest(&self, key: &str, at: Timestamp) -> Option<String> {
        let before = self.0.get(key)?.iter().filter(|(login, _)| *login <= at);
        before
            .max_by_key(|(login, _)| *login)
            .map(|(_, login)| login.clone())
    }
}

/// The whole messages, and why there can be none after them.
fn messages(frames: &mut Frames) -> (Vec<String>, Option<Refusal>) {
    let mut messages = Vec::new();
    loop {
        match frames.take() {
            Ok(Some(message)) => messages.push(String::from_utf8_lossy(message).into_owned()),
            Ok(None) => return (messages, None),
            Err(refusal) => return (messages, Some(refusal)),
        }
    }
}
