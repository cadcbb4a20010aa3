//! Forwards datagrams. A datagram is read from a UDP socket, checked against the source networks
//! and the rate limit, and queued for an ingestion replica. Answers are sent back from the same
//! socket.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use ipnet::IpNet;
use rollcall_platform::{datagram::Protocol, settings};
use tokio::net::UdpSocket;

use crate::{
    counters::{Counters, Outcome},
    limiter::Limiter,
    networks::Networks,
    replicas::Replicas,
};

/// Maximum number of datagrams read from a socket before they are written and other tasks may run.
const BATCH: usize = 128;

/// The state that all tasks share.
pub struct Forwarder {
    radius: UdpSocket,
    syslog: UdpSocket,
    admission: Mutex<Admission>,
    /// Replicas of ingestion, to which datagrams are forwarded.
    pub replicas: Replicas,
    /// Counts of datagrams by outcome.
    pub counters: Arc<Counters>,
}

/// Decides which datagrams are forwarded.
struct Admission {
    networks: Option<Networks>,
    limiter: Limiter,
}

impl Admission {
    /// Checks whether a datagram from `address` may be forwarded.
    ///
    /// # Errors
    /// Returns the outcome under which the dropped datagram is counted.
    fn check(&mut self, address: IpAddr, now: Instant) -> Result<(), Outcome> {
        let networks = self.networks.as_ref().ok_or(Outcome::NetworksUnknown)?;
        if !networks.contain(address) {
            return Err(Outcome::UnknownAddress);
        }
        if !self.limiter.admits(address, now) {
            return Err(Outcome::OverRate);
        }
        Ok(())
    }
}

/// Maximum size of a datagram. Longer datagrams are truncated.
///
/// RFC 2866, section 3 sets the maximum for RADIUS. RFC 5426, section 3.2 sets none for syslog and
/// recommends that receivers accept 2 KiB. A maximum of 8 KiB limits the memory of messages that
/// wait for the database.
const fn max_payload_bytes(protocol: Protocol) -> usize {
    match protocol {
        Protocol::Radius => 4096,
        Protocol::Syslog => 8192,
    }
}

impl Forwarder {
    /// Binds the UDP sockets.
    ///
    /// # Errors
    /// An address cannot be bound; the error names its setting.
    pub fn bind(settings: &settings::Receiver) -> io::Result<Self> {
        Ok(Self {
            radius: bind("receiver.radius_address", settings.radius_address)?,
            syslog: bind("receiver.syslog_address", settings.syslog_address)?,
            admission: Mutex::new(Admission {
                networks: None,
                limiter: Limiter::new(settings, Instant::now()),
            }),
            replicas: Replicas::new(settings.queue_bytes),
            counters: Counters::start(),
        })
    }

    /// Returns the socket of a protocol.
    #[must_use]
    pub fn socket(&self, protocol: Protocol) -> &UdpSocket {
        match protocol {
            Protocol::Radius => &self.radius,
            Protocol::Syslog => &self.syslog,
        }
    }

    /// Forwards the datagrams of a protocol. Never returns.
    pub async fn forward(self: Arc<Self>, protocol: Protocol) {
        let socket = self.socket(protocol);
        let mut buffer = vec![0; max_payload_bytes(protocol)];
        loop {
            if let Err(error) = socket.readable().await {
                tracing::error!(%error, protocol = protocol.name(), "Failed to wait for datagrams");
            }
            let now = Instant::now();
            for _ in 0..BATCH {
                match socket.try_recv_from(&mut buffer) {
                    Ok((length, peer)) => self.take(protocol, peer, &buffer[..length], now),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    // The kernel reports an ICMP error for an answer that was sent earlier. Ignore
                    // it.
                    Err(_) => {}
                }
            }
            self.replicas.flush();
            tokio::task::yield_now().await;
        }
    }

    fn take(&self, protocol: Protocol, peer: SocketAddr, payload: &[u8], now: Instant) {
        let address = peer.ip().to_canonical();
        let admitted = self.admission().check(address, now);
        let queued = admitted.and_then(|()| {
            let queued = self.replicas.queue(protocol, peer, payload);
            queued.then_some(()).ok_or(Outcome::NoCapacity)
        });
        match queued {
            Ok(()) => self.counters.count(Outcome::Forwarded),
            Err(outcome) => self.counters.count_drop(address, outcome),
        }
    }

    /// Sends an answer from ingestion to a gateway. Errors are ignored, because a gateway that gets
    /// no answer retransmits its request.
    pub async fn answer(&self, protocol: Protocol, peer: SocketAddr, payload: &[u8]) {
        let socket = self.socket(protocol);
        let sent = match socket.try_send_to(payload, peer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                socket.send_to(payload, peer).await
            }
            sent => sent,
        };
        if sent.is_ok() {
            self.counters.count(Outcome::Answered);
        }
    }

    /// Sets the networks from which datagrams are forwarded.
    pub fn set_networks(&self, networks: &[IpNet]) {
        tracing::info!(networks = networks.len(), "Source networks updated");
        self.admission().networks = Some(Networks::new(networks));
    }

    /// Checks whether datagrams can be forwarded, for the health check.
    ///
    /// # Errors
    /// Returns a message that says what is missing.
    pub fn check(&self) -> Result<(), String> {
        if self.replicas.is_empty() {
            return Err("no ingestion replica is connected: see scripts/status".into());
        }
        if self.admission().networks.is_none() {
            return Err(
                "ingestion has not yet sent the source networks: check that the database answers"
                    .into(),
            );
        }
        Ok(())
    }

    fn admission(&self) -> MutexGuard<'_, Admission> {
        self.admission
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn bind(setting: &str, address: SocketAddr) -> io::Result<UdpSocket> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{setting}: {error}"));
    let socket = std::net::UdpSocket::bind(address).map_err(named)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}
