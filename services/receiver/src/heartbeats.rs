//! Sends the health of the receiver to ingestion, because the receiver cannot connect to the
//! database.

use std::{sync::Arc, time::Duration};

use rollcall_platform::{
    clock::Clock,
    datagram::{self, Heartbeat},
};

use crate::forwarder::Forwarder;

/// Time between two heartbeats, as between those of the other services.
const INTERVAL: Duration = Duration::from_secs(10);

/// Sends heartbeats to all connected replicas of ingestion. Never returns.
pub async fn send(forwarder: Arc<Forwarder>) {
    // Linux always has this file.
    let replica = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let mut heartbeat = Heartbeat {
        replica: replica.trim().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: Clock::System.now(),
        missing: String::new(),
    };
    loop {
        heartbeat.missing = forwarder.check().err().unwrap_or_default();
        forwarder
            .replicas
            .queue_for_all(|buffer| datagram::put_heartbeat(buffer, &heartbeat));
        tokio::time::sleep(INTERVAL).await;
    }
}
