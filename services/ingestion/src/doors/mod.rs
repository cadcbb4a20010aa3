//! The doors beside HTTP. Each is bound when it is made and serves for as long as the process lives.

pub mod radius;
pub mod syslog;

use std::{net::SocketAddr, panic::AssertUnwindSafe, sync::Arc};

use futures::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::net::UdpSocket;

/// The largest datagram that UDP carries.
const DATAGRAM: usize = 65_535;
/// Datagrams in work at once. One beyond them is dropped, as the network would.
const IN_WORK: usize = 8_192;

/// A bound socket that tokio can serve.
fn bind(address: SocketAddr) -> std::io::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

/// Hands each datagram and where it came from to `handle`, many at once. In one task, since a task for each costs as much as its work.
async fn serve<F, A>(door: &'static str, socket: Arc<UdpSocket>, handle: F)
where
    F: Fn(Vec<u8>, SocketAddr) -> A,
    A: Future<Output = ()>,
{
    let mut in_work = FuturesUnordered::new();
    let mut buffer = vec![0; DATAGRAM];
    loop {
        tokio::select! {
            Some(_) = in_work.next() => {}
            received = socket.recv_from(&mut buffer) => {
                let Ok((length, from)) = received else { continue };
                if in_work.len() < IN_WORK {
                    // One that panics takes none of the others with it.
                    in_work.push(AssertUnwindSafe(handle(buffer[..length].to_vec(), from)).catch_unwind());
                } else {
                    crate::counts::count(door, "dropped", 1);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn neither_an_error_of_the_socket_nor_a_panic_ends_a_door() {
        let gone = UdpSocket::bind("127.0.0.1:0")
            .await
            .and_then(|socket| socket.local_addr())
            .expect("an address");
        let door = Arc::new(bind(([127, 0, 0, 1], 0).into()).expect("bound"));
        door.connect(gone).await.expect("connected");
        door.send(b"to nobody").await.expect("sent");
        let sender = UdpSocket::bind(gone).await.expect("bound");
        let address = door.local_addr().expect("an address");
        let (handled, mut handling) = mpsc::unbounded_channel();
        tokio::spawn(serve("test", door, move |datagram, _| {
            let handled = handled.clone();
            async move {
                assert_ne!(datagram, b"bad");
                handled.send(datagram).expect("somebody waits");
            }
        }));
        for datagram in [&b"first"[..], b"bad", b"last"] {
            sender.send_to(datagram, address).await.expect("sent");
        }
        assert_eq!(handling.recv().await.as_deref(), Some(&b"first"[..]));
        assert_eq!(handling.recv().await.as_deref(), Some(&b"last"[..]));
    }
}
