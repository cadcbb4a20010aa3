//! Syslog over TCP (RFC 6587) and TLS (RFC 5425). The proxy passes each connection to a socket of
//! its transport, with the PROXY header in front. Syslog has no acknowledgement: while the database
//! does not answer, nothing more is read, so that the sender's own queue fills.

use std::{sync::Arc, time::Duration};

use futures::FutureExt;
use rollcall_formats::syslog::Frames;
use rollcall_platform::socket::Slot;
use rollcall_store::sources::Sender;
use tokio::{
    io::{AsyncRead, AsyncReadExt, Interest},
    net::UnixStream,
    sync::Semaphore,
    time::timeout,
};
use tokio_rustls::server::TlsStream;

use super::{DOOR, RETRY_INTERVAL, Syslog};
use crate::{
    counts,
    doors::{
        Listener, proxy_header,
        tls::{self, Tls},
    },
};

/// Maximum number of connections. More are closed at once.
const MAX_CONNECTIONS: usize = 1_024;
/// Maximum time for the PROXY header and the TLS handshake.
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
                counts::reject(DOOR, "-", &"too many connections");
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
            Err(_) => counts::reject(DOOR, "-", &"the TLS handshake took longer than 10 seconds"),
        }
    }

    /// Returns the source of a connection, and what its messages are read from. A connection
    /// without a source is logged.
    async fn begin(
        &self,
        mut stream: UnixStream,
        transport: Transport,
    ) -> Option<(Arc<Sender>, Box<dyn Connection>)> {
        let peer = proxy_header::read(&mut stream).await?;
        let source = self.syslog.senders.source_of(DOOR, peer.ip()).await?;
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
                counts::reject(DOOR, &source.name, &reason);
                None
            }
        }
    }

    /// Does the handshake, and checks the client certificate if the source must have one.
    async fn secured(
        &self,
        source: &Sender,
        stream: UnixStream,
    ) -> Result<TlsStream<UnixStream>, String> {
        let stream = self.tls.accept(stream).await?;
        let presented = tls::client_fingerprint(&stream);
        match (&source.client_certificate, presented) {
            (None, _) => Ok(stream),
            (Some(required), Some(presented)) if *required == presented => Ok(stream),
            (Some(_), Some(_)) => Err("its client certificate is not that of this source".into()),
            (Some(_), None) => {
                Err("it presented no client certificate, which this source requires".into())
            }
        }
    }
}

/// Checks that a source may send syslog without TLS.
pub(super) fn plain(source: &Sender) -> Result<(), String> {
    match source.client_certificate {
        None => Ok(()),
        Some(_) => Err("this source must use TLS with its client certificate: see scripts/rollcall source set-certificate".into()),
    }
}

/// A connection of either transport.
trait Connection: AsyncRead + Unpin + Send + Sync {
    /// The socket beneath it.
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

/// Returns true if the sender has closed the connection, or its half of it, however much is still
/// to be read.
fn is_closed(connection: &dyn Connection) -> bool {
    let ready = connection.socket().ready(Interest::READABLE).now_or_never();
    matches!(ready, Some(Ok(ready)) if ready.is_read_closed())
}

impl Syslog {
    async fn connection(&self, source: &Sender, mut connection: Box<dyn Connection>) {
        let mut buffer = vec![0; 64 * 1024];
        let mut frames = Frames::default();
        while let Ok(length @ 1..) = connection.read(&mut buffer).await {
            frames.push(&buffer[..length]);
            let (messages, broken) = super::messages(&mut frames);
            if !self
                .record_while_open(source, &messages, &*connection)
                .await
            {
                let lost = messages.len();
                let reason = format!(
                    "the connection ended while the database did not answer: {lost} messages are lost"
                );
                return counts::reject(DOOR, &source.name, &reason);
            }
            if let Some(reason) = broken {
                return counts::reject(DOOR, &source.name, &reason);
            }
        }
        if frames.unfinished() > 0 {
            counts::reject(DOOR, &source.name, &"the connection ended within a message");
        }
    }

    /// Records messages, and tries again for as long as the connection is open. Returns whether
    /// they were recorded.
    async fn record_while_open(
        &self,
        source: &Sender,
        messages: &[String],
        connection: &dyn Connection,
    ) -> bool {
        while !messages.is_empty() && self.record(source, messages).await.is_err() {
            if is_closed(connection) {
                return false;
            }
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
        true
    }
}
