//! Finds the source of a packet or connection by its address.

use std::{net::IpAddr, sync::Arc};

use moka::future::Cache;
use rollcall_store::{
    Pool,
    sources::{self, SourceOfAddress},
};

use crate::{look_up_cache, rejected_inputs::RejectedInputs};

/// Looks up sources by address.
#[derive(Clone)]
pub struct SourceNetworks {
    pool: Pool,
    rejected: RejectedInputs,
    known: Cache<IpAddr, Option<Arc<SourceOfAddress>>>,
}

impl SourceNetworks {
    /// Creates a look-up of the sources in `pool`.
    #[must_use]
    pub fn new(pool: Pool, rejected: RejectedInputs) -> Self {
        Self {
            pool,
            rejected,
            known: look_up_cache::new(),
        }
    }

    /// Returns the source that sends from `address`. Returns `None` if there is no such source or
    /// the database does not answer; both are logged.
    pub async fn source_of(
        &self,
        receiver: &'static str,
        address: IpAddr,
    ) -> Option<Arc<SourceOfAddress>> {
        let looked_up = self.known.try_get_with(address, async {
            let found = self
                .pool
                .ask(async |connection| sources::by_address(connection, address).await)
                .await?;
            if found.is_none() {
                // This is counted once per look-up, not once per packet.
                self.rejected.reject_unknown(receiver, address);
            }
            Ok::<_, rollcall_store::Error>(found.map(Arc::new))
        });
        looked_up.await.unwrap_or_else(|error| {
            tracing::error!(%error, receiver, "Failed to look up the source of an address");
            None
        })
    }
}
