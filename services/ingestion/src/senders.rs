//! Which source a packet or connection comes from, told by the address of its sender.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use moka::future::Cache;
use ppp::v1::{Addresses, Header};
use rollcall_store::{
    Pool,
    sources::{self, Sender},
};

/// A sender is not looked up for each packet. One that is no longer a source's is let in no longer than this.
const KNOWN: Duration = Duration::from_secs(5);

/// Looks senders up.
#[derive(Clone)]
pub struct Senders {
    pool: Pool,
    known: Cache<IpAddr, Option<Arc<Sender>>>,
}

impl Senders {
    /// The senders of the sources in `pool`.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        Self {
            pool,
            known: Cache::builder()
                .max_capacity(10_000)
                .time_to_live(KNOWN)
                .build(),
        }
    }

    /// The source that sends from `address`; none for an address of no source, or while the database does not answer:
    /// then the sender goes unheard and sends again.
    pub async fn source_of(&self, door: &'static str, address: IpAddr) -> Option<Arc<Sender>> {
        let looked_up = self.known.try_get_with(address, async {
            let found = self.pool.ask(async |connection| sources::by_sender(connection, address).await).await?;
            if found.is_none() {
                // Once for each time that it is looked up, and not for each packet.
                crate::counts::reject(
                    door,
                    "-",
                    &format!("{address} is the sender of no source: see scripts/rollcall source set-senders"),
                );
            }
            Ok::<_, rollcall_store::Error>(found.map(Arc::new))
        });
        looked_up.await.unwrap_or_else(|error| {
            tracing::error!(%error, door, "senders cannot be looked up");
            None
        })
    }
}

/// The sender, as the VIP names it in front of what it passes on (PROXY protocol, version 1), and what follows.
/// None where there is no such header: then it does not come from the VIP.
#[must_use]
pub fn behind_proxy(bytes: &[u8]) -> Option<(SocketAddr, &[u8])> {
    let header = Header::try_from(bytes).ok()?;
    let length = header.header.len();
    let sender = match header.addresses {
        Addresses::Tcp4(addresses) => (addresses.source_address, addresses.source_port).into(),
        Addresses::Tcp6(addresses) => (addresses.source_address, addresses.source_port).into(),
        Addresses::Unknown => return None,
    };
    Some((sender, &bytes[length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sender_is_who_the_vip_says_it_is() {
        let (sender, rest) = behind_proxy(b"PROXY TCP4 192.0.2.7 192.0.2.1 40000 1813\r\n\x04\xff")
            .expect("a sender");
        assert_eq!(
            (sender.to_string().as_str(), rest),
            ("192.0.2.7:40000", &b"\x04\xff"[..])
        );
        let (sender, _) =
            behind_proxy(b"PROXY TCP6 2001:db8::7 2001:db8::1 40000 1813\r\n").expect("a sender");
        assert_eq!(sender.to_string(), "[2001:db8::7]:40000");
        for bytes in [
            &b"\x04\xff"[..],
            b"PROXY UNKNOWN\r\n",
            b"PROXY TCP4 192.0.2.7\r\n",
            b"",
        ] {
            assert_eq!(behind_proxy(bytes), None);
        }
    }
}
