//! The doors beside HTTP. Each is bound when it is made and serves for as long as the process lives.

pub mod radius;
pub mod syslog;

use std::{net::SocketAddr, sync::Arc};

use futures::{StreamExt, stream::FuturesUnordered};
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
            Some(()) = in_work.next() => {}
            Ok((length, from)) = socket.recv_from(&mut buffer) => {
                if in_work.len() < IN_WORK {
                    in_work.push(handle(buffer[..length].to_vec(), from));
                } else {
                    crate::counts::count(door, "dropped", 1);
                }
            }
        }
    }
}
