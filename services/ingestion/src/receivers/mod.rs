//! Receivers other than HTTP. Each listens on a Unix socket: datagrams arrive from the datagram
//! receiver, connections from the reverse proxy.

pub mod datagrams;
mod proxy_header;
pub mod radius;
pub mod syslog;
pub mod tls;

use std::time::Duration;

use rollcall_platform::socket::{Slot, SocketFile};
use tokio::net::{UnixListener, UnixStream};

/// Time between two attempts to accept a connection after a failure, such as too many open files.
const ACCEPT_RETRY: Duration = Duration::from_millis(500);

/// A socket of this replica with its file. Dropping this value removes the file.
pub struct Listener {
    listener: UnixListener,
    _file: SocketFile,
}

impl Listener {
    /// Listens in the slot of this replica.
    ///
    /// # Errors
    /// The directory cannot be written to.
    pub fn open(slot: &Slot, kind: &str) -> std::io::Result<Self> {
        let (listener, file) = slot.listen(kind)?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener: UnixListener::from_std(listener)?,
            _file: file,
        })
    }

    async fn accept(&self) -> UnixStream {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => return stream,
                Err(error) => {
                    tracing::error!(%error, "Failed to accept a connection, retrying");
                    tokio::time::sleep(ACCEPT_RETRY).await;
                }
            }
        }
    }
}
