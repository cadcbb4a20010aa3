//! Connections to the ingestion replicas. Each replica listens on a socket in one directory.

use std::{
    collections::BTreeSet,
    hash::{BuildHasher, RandomState},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::BytesMut;
use rollcall_platform::{
    datagram::{self, Frame, Protocol},
    socket,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Notify,
};

use crate::forwarder::Forwarder;

/// Maximum number of replicas, which bounds the memory of their queues.
const MAX_REPLICAS: usize = 8;
/// Time between two searches for new sockets in the directory.
const DISCOVERY_INTERVAL: Duration = Duration::from_millis(500);
/// Size of a read from a socket.
const READ_BYTES: usize = 64 * 1024;

/// The connected replicas.
#[derive(Debug, Default)]
pub struct Replicas {
    connected: Mutex<Vec<Arc<Replica>>>,
    hasher: RandomState,
    queue_bytes: usize,
}

/// A replica, and the frames that wait to be written to it.
#[derive(Debug)]
struct Replica {
    socket: PathBuf,
    /// Hash of `socket`.
    key: u64,
    queue: Mutex<BytesMut>,
    queued: Notify,
}

impl Replicas {
    /// Creates an empty set. The queue of each replica holds up to `queue_bytes` bytes.
    #[must_use]
    pub fn new(queue_bytes: usize) -> Self {
        Self {
            queue_bytes,
            ..Self::default()
        }
    }

    /// Returns true if no replica is connected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.connected().is_empty()
    }

    /// Queues a datagram for a replica. The datagrams of one peer go to the same replica as long as
    /// its queue has capacity, so that this replica recognizes a retransmission. Returns false if
    /// no replica has capacity.
    pub fn queue(&self, protocol: Protocol, peer: SocketAddr, payload: &[u8]) -> bool {
        let connected = self.connected();
        let has_capacity =
            |replica: &&Arc<Replica>| replica.queue().len() + payload.len() < self.queue_bytes;
        // With rendezvous hashing, only the peers of a replica that disconnects move to another
        // one.
        let chosen = connected
            .iter()
            .filter(has_capacity)
            .max_by_key(|replica| self.hasher.hash_one((replica.key, peer)));
        let Some(chosen) = chosen else { return false };
        datagram::put_datagram(&mut chosen.queue(), protocol, peer, payload);
        true
    }

    /// Queues a frame, which `put` appends, for each replica whose queue has capacity.
    pub fn queue_for_all(&self, put: impl Fn(&mut BytesMut)) {
        for replica in self.connected().iter() {
            let mut queue = replica.queue();
            if queue.len() < self.queue_bytes {
                put(&mut queue);
                replica.queued.notify_one();
            }
        }
    }

    /// Wakes the writers of all replicas for which something is queued.
    pub fn flush(&self) {
        for replica in self.connected().iter() {
            if !replica.queue().is_empty() {
                replica.queued.notify_one();
            }
        }
    }

    fn connected(&self) -> MutexGuard<'_, Vec<Arc<Replica>>> {
        self.connected
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Replica {
    fn queue(&self) -> MutexGuard<'_, BytesMut> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes queued frames until the connection fails. All frames queued so far are written at
    /// once.
    async fn write(&self, mut socket: OwnedWriteHalf) -> io::Result<()> {
        let mut batch = BytesMut::new();
        loop {
            self.queued.notified().await;
            std::mem::swap(&mut *self.queue(), &mut batch);
            socket.write_all(&batch).await?;
            batch.clear();
        }
    }
}

/// Connects to each replica whose socket appears in the directory. Never returns.
pub async fn discover(directory: PathBuf, forwarder: Arc<Forwarder>) {
    loop {
        let connected = &forwarder.replicas;
        let known: BTreeSet<PathBuf> = connected
            .connected()
            .iter()
            .map(|replica| replica.socket.clone())
            .collect();
        for socket in sockets(&directory) {
            if !known.contains(&socket) && connected.connected().len() < MAX_REPLICAS {
                connect(socket, &forwarder).await;
            }
        }
        tokio::time::sleep(DISCOVERY_INTERVAL).await;
    }
}

/// Returns the sockets of the ingestion replicas. If the directory cannot be read, the result is
/// empty and the health check fails, because no replica is connected.
fn sockets(directory: &Path) -> Vec<PathBuf> {
    socket::find(directory, "datagrams").unwrap_or_default()
}

/// Connects to a replica. Errors are ignored: a killed replica leaves its socket file behind, and
/// the connection to it is refused.
async fn connect(socket: PathBuf, forwarder: &Arc<Forwarder>) {
    let Ok(stream) = UnixStream::connect(&socket).await else {
        return;
    };
    let replica = Arc::new(Replica {
        key: forwarder.replicas.hasher.hash_one(&socket),
        socket,
        queue: Mutex::default(),
        queued: Notify::new(),
    });
    tracing::info!(socket = %replica.socket.display(), "Connected to an ingestion replica");
    forwarder.replicas.connected().push(replica.clone());
    let forwarder = forwarder.clone();
    tokio::spawn(async move {
        let (reader, writer) = stream.into_split();
        let ended = tokio::select! {
            ended = replica.write(writer) => ended,
            ended = read(reader, &forwarder) => ended,
        };
        forwarder
            .replicas
            .connected()
            .retain(|known| !Arc::ptr_eq(known, &replica));
        let reason = ended.err().map(|error| error.to_string());
        tracing::info!(
            socket = %replica.socket.display(), reason,
            "Disconnected from an ingestion replica"
        );
    });
}

/// Processes the source networks and answers that a replica sends, until the connection ends.
async fn read(mut socket: OwnedReadHalf, forwarder: &Forwarder) -> io::Result<()> {
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(READ_BYTES);
        if socket.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
        while let Some(frame) = datagram::take(&mut buffer).map_err(io::Error::other)? {
            match frame {
                Frame::Networks(networks) => forwarder.set_networks(&networks),
                Frame::Datagram {
                    protocol,
                    peer,
                    payload,
                } => {
                    forwarder.answer(protocol, peer, &payload).await;
                }
                // Only receivers send heartbeats.
                Frame::Heartbeat(_) => {}
            }
        }
    }
}
