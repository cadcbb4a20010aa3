//! Limits the sign-ins in flight and the failed sign-ins of each address, in the memory of one
//! replica.

use std::{
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use moka::future::Cache;
use rollcall_platform::settings;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::client_address::ClientAddress;

/// Maximum number of entries, which bounds the memory. An address without an entry is limited only
/// by the database.
const MAX_KEYS: u64 = 100_000;

/// A semaphore for each key. A semaphore that was not used for a minute is dropped.
#[derive(Clone)]
pub struct KeyedSemaphores<K> {
    permits: usize,
    semaphores: Cache<K, Arc<Semaphore>>,
}

impl<K: Hash + Eq + Send + Sync + 'static> KeyedSemaphores<K> {
    /// Creates semaphores with `permits` permits each.
    #[must_use]
    pub fn new(permits: usize) -> Self {
        let semaphores = Cache::builder()
            .max_capacity(MAX_KEYS)
            .time_to_idle(Duration::from_mins(1))
            .build();
        Self {
            permits,
            semaphores,
        }
    }

    /// Returns the semaphore of `key`.
    pub async fn of(&self, key: K) -> Arc<Semaphore> {
        let new = async { Arc::new(Semaphore::new(self.permits)) };
        self.semaphores.get_with(key, new).await
    }
}

/// The limits of each address.
#[derive(Clone)]
pub struct AddressLimits {
    pending: KeyedSemaphores<ClientAddress>,
    max_failures: u32,
    failures: Cache<ClientAddress, Arc<AtomicU32>>,
}

impl AddressLimits {
    /// Creates the limits in `settings`.
    #[must_use]
    pub fn new(settings: &settings::Auth) -> Self {
        Self {
            pending: KeyedSemaphores::new(settings.max_pending_per_address),
            max_failures: settings.max_failures_per_second,
            failures: Cache::builder()
                .max_capacity(MAX_KEYS)
                .time_to_live(Duration::from_secs(1))
                .build(),
        }
    }

    /// Begins a sign-in, which is in flight until the returned permit is dropped. Returns `None` if
    /// the address has reached a limit.
    pub async fn enter(&self, address: ClientAddress) -> Option<OwnedSemaphorePermit> {
        let failures = self.failures.get(&address).await;
        if failures.is_some_and(|count| count.load(Ordering::Relaxed) >= self.max_failures) {
            return None;
        }
        self.pending.of(address).await.try_acquire_owned().ok()
    }

    /// Counts a failed sign-in.
    pub async fn count_failure(&self, address: ClientAddress) {
        let count = self.failures.get_with(address, async { Arc::default() });
        count.await.fetch_add(1, Ordering::Relaxed);
    }
}
