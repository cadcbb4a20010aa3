//! Syslog over TCP (RFC 6587) and TLS (RFC 5425). The reverse proxy passes each connection to the
//! socket of its transport and sends the PROXY header first. Syslog has no acknowledgement. While
//! the database does not answer, nothing is read, so that messages wait in the queue of the source.

use std::{sync::Arc, time::Duration};

use futures::FutureExt;
use rollcall_formats::syslog::Frames;
use rollcall_platform::socket::Slot;
use rollcall_store::sources::SourceOfAddress;
use tokio::{
    io::{AsyncRead, AsyncReadExt, Interest},
    net::UnixStream,
    sync::Semaphore,
    time::timeout,
};
use tokio_rustls::server::TlsStream;

use super::{RECEIVER, RETRY_INTERVAL, Syslog};
use crate::{
    counts,
    receivers::{
        Listener, proxy_header,
        tls::{self, Tls},
    },
};

/// Maximum number of connections. Further ones are closed at once.
const MAX_CONNECTIONS: usize = 1_024;
/// Maximum time for the PROXY header, the look-up of the source and the TLS handshake.
const MAX_HANDSHAKE: Duration = Duration::from_secs(10);

/// Handles connections of both transports.
#[derive(Clone)]
struct Connections {
    syslog: Syslog,
    tls: Arc<Tls>,
    capacity: Arc<Semaphore>,
}

#[derive(Debug, Clone, Copy)]
enum Transport {
    Tcp,
    Tls,
}

/// Opens the sockets for TCP and TLS in the slot of this replica and serves them.
///
/// # Errors
/// A socket cannot be opened.
pub fn open(slot: &Slot, syslog: Syslog, tls: Tls) -> std::io::Result<()> {
    if let Err(error) = tls.config() {
        tracing::warn!(error, "Syslog over TLS is not available yet");
    }
    let connections = Connections {
        syslog,
        tls: Arc::new(tls),
        capacity: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
    };
    for (kind, transport) in [("syslog", Transport::Tcp), ("syslog-tls", Transport::Tls)] {
        let listener = Listener::open(slot, kind)?;
        tokio::spawn(connections.clone().accept(listener, transport));
    }
    Ok(())
}

impl Connections {
    async fn accept(self, listener: Listener, transport: Transport) {
        loop {
            let stream = listener.accept().await;
            let Ok(permit) = self.capacity.clone().try_acquire_owned() else {
                counts::reject(RECEIVER, "-", &"too many connections");
                continue;
            };
            let connections = self.clone();
            tokio::spawn(async move {
                connections.serve(stream, transport).await;
                drop(permit);
            });
        }
    }

    async fn serve(&self, stream: UnixStream, transport: Transport) {
        match timeout(MAX_HANDSHAKE, self.begin(stream, transport)).await {
            Ok(Some((source, stream))) => self.syslog.connection(&source, stream).await,
            Ok(None) => {}
            Err(_) => counts::reject(
                RECEIVER,
                "-",
                &"the beginning of the connection (PROXY header, TLS handshake) took longer than 10 \
                  seconds",
            ),
        }
    }

    /// Returns the source of a connection and the stream of its messages. A connection that is
    /// rejected is logged.
    async fn begin(
        &self,
        mut stream: UnixStream,
        transport: Transport,
    ) -> Option<(Arc<SourceOfAddress>, Box<dyn Connection>)> {
        let peer = proxy_header::read(&mut stream).await?;
        let source = self
            .syslog
            .source_networks
            .source_of(RECEIVER, peer.ip())
            .await?;
        let stream: Result<Box<dyn Connection>, String> = match transport {
            Transport::Tcp => plain(&source).map(|()| Box::new(stream) as _),
            Transport::Tls => self
                .secured(&source, stream)
                .await
                .map(|stream| Box::new(stream) as _),
        };
        match stream {
            Ok(stream) => Some((source, stream)),
            Err(reason) => {
                self.syslog.rejected.reject(RECEIVER, &source, &reason, b"");
                None
            }
        }
    }

    /// Performs the TLS handshake, and checks the client certificate if the source must present
    /// one.
    async fn secured(
        &self,
        source: &SourceOfAddress,
        stream: UnixStream,
    ) -> Result<TlsStream<UnixStream>, String> {
        let stream = self.tls.accept(stream).await?;
        let presented = tls::client_fingerprint(&stream);
        match (&source.client_certificate, presented) {
            (None, _) => Ok(stream),
            (Some(required), Some(presented)) if *required == presented => Ok(stream),
            (Some(_), Some(_)) => {
                Err("the client certificate is not the one set for this source".into())
            }
            (Some(_), None) => {
                Err("the client presented no certificate, which this source requires".into())
            }
        }
    }
}

/// Checks that a source may send syslog without TLS.
pub(super) fn plain(source: &SourceOfAddress) -> Result<(), String> {
    match source.client_certificate {
        None => Ok(()),
        Some(_) => Err("the source must use TLS with its client certificate: see \
                        scripts/rollcall source set-certificate"
            .into()),
    }
}

/// A connection of either transport.
trait Connection: AsyncRead + Unpin + Send + Sync {
    /// Returns the underlying socket.
    fn socket(&self) -> &UnixStream;
}

impl Connection for UnixStream {
    fn socket(&self) -> &UnixStream {
        self
    }
}

impl Connection for TlsStream<UnixStream> {
    fn socket(&self) -> &UnixStream {
        self.get_ref().0
    }
}

/// Returns true if the peer has closed the connection or its sending half, even if there is unread
/// data.
fn is_closed(connection: &dyn Connection) -> bool {
    let ready = connection.socket().ready(Interest::READABLE).now_or_never();
    matches!(ready, Some(Ok(ready)) if ready.is_read_closed())
}

impl Syslog {
    async fn connection(&self, source: &SourceOfAddress, mut connection: Box<dyn Connection>) {
        let mut buffer = vec![0; 64 * 1024];
        let mut frames = Frames::default();
        while let Ok(length @ 1..) = connection.read(&mut buffer).await {
            frames.push(&buffer[..length]);
            let (messages, broken) = super::messages(&mut frames);
            if !self
                .record_while_open(source, &messages, &*connection)
                .await
            {
                return self.lost(source, &messages);
            }
            if let Some(reason) = broken {
                return self.rejected.reject(RECEIVER, source, &reason, b"");
            }
        }
        if frames.unfinished() > 0 {
            let reason = "the connection ended within a message";
            self.rejected.reject(RECEIVER, source, &reason, b"");
        }
    }

    /// Counts, logs and sums up messages that could not be recorded.
    fn lost(&self, source: &SourceOfAddress, messages: &[String]) {
        let reason = "the connection ended while the database did not answer";
        let lost = messages.len();
        let logged = format!("{reason}: {lost} messages were lost");
        counts::reject(RECEIVER, &source.name, &logged);
        let (key, latest) = ((source.source_id, RECEIVER), messages.last());
        let latest = latest.map_or("", String::as_str);
        self.rejected.add(key, reason, lost, latest.as_bytes());
    }

    /// Records messages, retrying while the connection is open. Returns true if the messages were
    /// recorded.
    async fn record_while_open(
        &self,
        source: &SourceOfAddress,
        messages: &[String],
        connection: &dyn Connection,
    ) -> bool {
        let arrival = self.arrivals.now();
        while !messages.is_empty() && self.record(source, messages, &arrival).await.is_err() {
            if is_closed(connection) {
                return false;
            }
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
        true
    }
}
