//! Syslog over UDP (RFC 5426) and TCP (RFC 6587); TLS (RFC 5425) ends at the VIP. Syslog has no acknowledgement: what the
//! database does not take now is kept here and tried again, over TCP without reading on, so that the sender's own queue fills.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use jiff::Timestamp;
use rollcall_attendance::event::{Draft, Event, Refusal};
use rollcall_formats::syslog::{Found, Frames, Matched, Rules, parse};
use rollcall_store::{Pool, events::Reported, sessions, sources::Sender};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

use crate::{
    arrivals::Arrivals,
    counts,
    recorder::{Recorder, Unrecorded},
    senders::{Senders, behind_proxy},
};

const DOOR: &str = "syslog";
/// Connections at once; more are closed at once.
const CONNECTIONS: usize = 1_024;
/// Between two attempts at the database.
const PAUSE: Duration = Duration::from_millis(500);
/// Attempts for a datagram, which takes room in memory for so long: a minute.
const ATTEMPTS: usize = 120;
/// The PROXY header's longest form (version 1).
const PROXY_HEADER: usize = 107;

/// What every connection needs.
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

/// Binds UDP and serves it; tells where it was bound.
///
/// # Errors
/// The address cannot be bound.
pub fn open_udp(address: SocketAddr, syslog: Syslog) -> std::io::Result<SocketAddr> {
    let socket = Arc::new(super::bind(address)?);
    let bound = socket.local_addr()?;
    tokio::spawn(super::serve(DOOR, socket, move |datagram, _| {
        let syslog = syslog.clone();
        async move { syslog.datagram(&datagram).await }
    }));
    Ok(bound)
}

/// Binds TCP and serves it; tells where it was bound.
///
/// # Errors
/// The address cannot be bound.
pub fn open_tcp(address: SocketAddr, syslog: Syslog) -> std::io::Result<SocketAddr> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let bound = listener.local_addr()?;
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Out of file descriptors, which others will give back.
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let (Ok(permit), syslog) = (room.clone().try_acquire_owned(), syslog.clone()) else {
                counts::reject(DOOR, "-", &"too many connections");
                continue;
            };
            tokio::spawn(async move {
                syslog.connection(stream).await;
                drop(permit);
            });
        }
    });
    Ok(bound)
}

impl Syslog {
    async fn datagram(&self, datagram: &[u8]) {
        let Some((sender, message)) = behind_proxy(datagram) else {
            return counts::reject(DOOR, "-", &"it does not come from the VIP");
        };
        let Some(source) = self.senders.source_of(DOOR, sender.ip()).await else {
            return;
        };
        let messages = [String::from_utf8_lossy(message).into_owned()];
        for _ in 0..ATTEMPTS {
            if self.record(&source, &messages).await.is_ok() {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        counts::reject(
            DOOR,
            &source.name,
            &"the database did not answer for a minute: the message is lost",
        );
    }

    async fn connection(&self, mut stream: TcpStream) {
        let mut buffer = vec![0; 64 * 1024];
        let Some((source, first)) = self.begin(&mut stream).await else {
            return;
        };
        let mut frames = Frames::default();
        frames.push(&first);
        loop {
            let (messages, broken) = messages(&mut frames);
            while !messages.is_empty() && self.record(&source, &messages).await.is_err() {
                tokio::time::sleep(PAUSE).await;
            }
            if let Some(reason) = broken {
                return counts::reject(DOOR, &source.name, &reason);
            }
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => break,
                Ok(length) => frames.push(&buffer[..length]),
            }
        }
        if frames.unfinished() > 0 {
            counts::reject(DOOR, &source.name, &"the connection ended within a message");
        }
    }

    /// Who a connection is from, and the first bytes of what it says.
    async fn begin(&self, stream: &mut TcpStream) -> Option<(Arc<Sender>, Vec<u8>)> {
        let mut head = Vec::new();
        while !head.contains(&b'\n') && head.len() <= PROXY_HEADER {
            if stream.read_buf(&mut head).await.ok()? == 0 {
                // The VIP's own look at whether the port is open.
                return None;
            }
        }
        let Some((sender, rest)) = behind_proxy(&head) else {
            counts::reject(DOOR, "-", &"it does not come from the VIP");
            return None;
        };
        Some((
            self.senders.source_of(DOOR, sender.ip()).await?,
            rest.to_vec(),
        ))
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
