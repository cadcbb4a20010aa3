//! Serves the datagram receiver over a Unix socket. Ingestion sends the source networks to the
//! receiver, which drops datagrams from other addresses and forwards all others.

use std::{net::SocketAddr, panic::AssertUnwindSafe, path::Path, sync::Arc, time::Duration};

use bytes::{Buf, BytesMut};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use ipnet::IpNet;
use rollcall_platform::{
    datagram::{self, Frame, FrameError, Heartbeat, Protocol},
    socket::Slot,
};
use rollcall_store::{Pool, heartbeats, sources};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    sync::watch,
};

use super::{Listener, radius::Radius, syslog::Syslog};
use crate::counts;

/// Maximum number of datagrams of each protocol in flight for one receiver. Further ones are
/// dropped.
const MAX_IN_FLIGHT: usize = 8_192;
/// Size of a read from the socket.
const READ_BYTES: usize = 64 * 1024;
/// Maximum number of bytes waiting to be written. Beyond it, no answer is added to the output.
const MAX_OUTPUT_BYTES: usize = 1024 * 1024;
/// Time between two queries of the source networks.
const NETWORKS_INTERVAL: Duration = Duration::from_secs(2);

/// The networks of all sources. `None` until the database has answered.
type Networks = watch::Receiver<Option<Vec<IpNet>>>;

/// Handlers of each protocol.
#[derive(Clone)]
pub struct Datagrams {
    /// Handler of RADIUS requests, which are answered.
    pub radius: Radius,
    /// Handler of syslog messages, which are not answered.
    pub syslog: Syslog,
}

/// Opens the socket in `directory` and serves the receivers that connect to it.
///
/// # Errors
/// The socket cannot be opened.
pub fn open(directory: &Path, datagrams: Datagrams, pool: Pool) -> std::io::Result<()> {
    let slot = Slot::claim(directory).map_err(|error| {
        std::io::Error::new(error.kind(), format!("receiver.socket_directory: {error}"))
    })?;
    let listener = Listener::open(&slot, "datagrams")?;
    let (sender, networks) = watch::channel(None);
    tokio::spawn(poll_networks(pool.clone(), sender));
    tokio::spawn(async move {
        loop {
            let stream = listener.accept().await;
            let in_flight = InFlight::new(datagrams.clone(), pool.clone());
            tokio::spawn(serve(stream, in_flight, networks.clone()));
        }
    });
    Ok(())
}

async fn poll_networks(pool: Pool, networks: watch::Sender<Option<Vec<IpNet>>>) {
    loop {
        match pool
            .ask(async |connection| sources::networks(connection).await)
            .await
        {
            Ok(found) => {
                // PostgreSQL prints `cidr` in the form that `IpNet` parses, so no network is
                // skipped.
                let found: Vec<IpNet> = found.iter().filter_map(|text| text.parse().ok()).collect();
                let mut found = IpNet::aggregate(&found);
                found.sort();
                if found.len() > datagram::MAX_NETWORKS {
                    tracing::error!(
                        networks = found.len(),
                        "Too many source networks, dropping datagrams from some sources"
                    );
                }
                networks.send_if_modified(|known| {
                    let changed = known.as_ref() != Some(&found);
                    *known = Some(found);
                    changed
                });
            }
            Err(error) => tracing::error!(%error, "Failed to read the source networks, retrying"),
        }
        tokio::time::sleep(NETWORKS_INTERVAL).await;
    }
}

/// Serves one receiver until it disconnects. A single task handles all datagrams, because a task
/// for each datagram would cost as much as handling it.
async fn serve(stream: UnixStream, mut in_flight: InFlight, mut networks: Networks) {
    let (mut reader, mut writer) = stream.into_split();
    let (mut input, mut output) = (BytesMut::new(), BytesMut::new());
    networks.mark_changed();
    loop {
        input.reserve(READ_BYTES);
        tokio::select! {
            read = reader.read_buf(&mut input) => {
                if !matches!(read, Ok(1..)) {
                    break;
                }
                if let Err(error) = in_flight.begin(&mut input) {
                    tracing::error!(%error, "Disconnected a datagram receiver");
                    break;
                }
            }
            written = writer.write(&output), if !output.is_empty() => match written {
                Ok(length @ 1..) => output.advance(length),
                _ => break,
            },
            Some(answer) = in_flight.radius.next(), if output.len() < MAX_OUTPUT_BYTES => {
                put_answer(&mut output, answer);
                // Add the other answers that are ready, usually those of the same transaction.
                while let Some(Some(answer)) = in_flight.radius.next().now_or_never() {
                    put_answer(&mut output, answer);
                }
            }
            Some(()) = in_flight.syslog.next() => {}
            changed = networks.changed() => {
                if changed.is_err() {
                    break;
                }
                if let Some(networks) = &*networks.borrow_and_update() {
                    datagram::put_networks(&mut output, networks);
                }
            }
        }
    }
    // Finish the syslog messages, because no one sends them again. RADIUS requests are
    // retransmitted.
    while in_flight.syslog.next().await.is_some() {}
}

/// `None` if a handler panicked or has no answer.
type Answer = Option<(SocketAddr, Vec<u8>)>;

/// Datagrams in flight, by protocol, so that syslog messages waiting for the database do not
/// displace RADIUS requests.
struct InFlight {
    datagrams: Arc<Datagrams>,
    radius: FuturesUnordered<BoxFuture<'static, Answer>>,
    syslog: FuturesUnordered<BoxFuture<'static, ()>>,
    pool: Pool,
}

impl InFlight {
    fn new(datagrams: Datagrams, pool: Pool) -> Self {
        Self {
            datagrams: Arc::new(datagrams),
            radius: FuturesUnordered::new(),
            syslog: FuturesUnordered::new(),
            pool,
        }
    }

    /// Begins to handle all complete frames in `input`.
    fn begin(&mut self, input: &mut BytesMut) -> Result<(), FrameError> {
        while let Some(frame) = datagram::take(input)? {
            match frame {
                // Copy the payload, so that a waiting datagram does not keep the whole input buffer
                // allocated.
                Frame::Datagram {
                    protocol,
                    peer,
                    payload,
                } => self.handle(protocol, peer, payload.to_vec()),
                Frame::Heartbeat(heartbeat) => {
                    tokio::spawn(record(self.pool.clone(), heartbeat));
                }
                // Only ingestion sends source networks.
                Frame::Networks(_) => {}
            }
        }
        Ok(())
    }

    fn handle(&mut self, protocol: Protocol, peer: SocketAddr, payload: Vec<u8>) {
        let in_flight = match protocol {
            Protocol::Radius => self.radius.len(),
            Protocol::Syslog => self.syslog.len(),
        };
        if in_flight >= MAX_IN_FLIGHT {
            return counts::count(protocol.name(), "dropped", 1);
        }
        let datagrams = self.datagrams.clone();
        // Catch panics, so that one handler does not end the others.
        match protocol {
            Protocol::Radius => {
                let handle = async move {
                    let answer = datagrams.radius.handle(peer, &payload).await?;
                    Some((peer, answer))
                };
                let handle = AssertUnwindSafe(handle).catch_unwind();
                self.radius
                    .push(handle.map(|answer| answer.ok().flatten()).boxed());
            }
            Protocol::Syslog => {
                let handle = async move { datagrams.syslog.datagram(peer, &payload).await };
                let handle = AssertUnwindSafe(handle).catch_unwind();
                self.syslog.push(handle.map(|_| ()).boxed());
            }
        }
    }
}

/// Writes the heartbeat of a receiver. Errors are ignored: if the database does not answer, the
/// heartbeat of ingestion itself is missing too, and is logged.
async fn record(pool: Pool, heartbeat: Heartbeat) {
    let replica = heartbeats::Replica {
        name: heartbeat.replica,
        version: &heartbeat.version,
        started_at: heartbeat.started_at,
    };
    let written = pool.ask(async |connection| {
        heartbeats::write_for_receiver(connection, &replica, &heartbeat.missing).await
    });
    let _ = written.await;
}

fn put_answer(output: &mut BytesMut, answer: Answer) {
    if let Some((peer, answer)) = answer {
        datagram::put_datagram(output, Protocol::Radius, peer, &answer);
    }
}
