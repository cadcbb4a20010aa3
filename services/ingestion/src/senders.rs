//! Which source a packet or connection comes from, told by the address of its sender.

use std::{net::IpAddr, sync::Arc, time::Duration};

use moka::future::Cache;
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
