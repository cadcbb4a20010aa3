//! Hashes passwords outside the event loop. The number of concurrent hashes is limited by the cores
//! and the memory limit.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use rollcall_credentials::passwords::{self, Buffer, HASH_KIB};
use rollcall_platform::settings;
use secrecy::SecretString;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use crate::memory_limit;

/// Memory reserved for the service without its hashes.
const RESERVE_BYTES: u64 = 96 * 1024 * 1024;

/// The queue for callers at new addresses is full.
#[derive(Debug, thiserror::Error)]
#[error("the queue for hashing is full")]
pub struct QueueFullError;

/// Permits to compute a hash. A caller at a known address waits for at most as many callers at new
/// addresses as there are permits.
#[derive(Clone)]
pub struct Hashing {
    permits: Arc<Semaphore>,
    /// A caller at a new address must acquire one of these before it waits for a permit. Their
    /// number is that of the permits.
    new_addresses: Arc<Semaphore>,
    /// Capacity of the queue for new addresses.
    waiting: Arc<Semaphore>,
    memory: Arc<Memory>,
}

/// Buffers of earlier hashes, which are reused so that memory usage is constant, and counters.
#[derive(Default)]
struct Memory {
    buffers: Mutex<Vec<Buffer>>,
    allocated_buffers: AtomicU64,
    hashes: AtomicU64,
}

/// A caller in the queue for a permit.
pub struct Queued {
    permits: Arc<Semaphore>,
    /// Queue for new addresses and the caller's share of its capacity. `None` for a caller at a
    /// known address.
    new_address: Option<(Arc<Semaphore>, OwnedSemaphorePermit)>,
}

/// Permit to compute a hash now.
struct Permit {
    _new_address: Option<OwnedSemaphorePermit>,
    _permit: OwnedSemaphorePermit,
}

impl Hashing {
    /// Creates the permits according to `settings` and the memory limit of this container.
    #[must_use]
    pub fn new(settings: &settings::Auth) -> Self {
        let cores = match settings.max_hashes {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            hashes => hashes,
        };
        let memory = memory_limit::bytes();
        let hashes = max_hashes(cores, memory);
        tracing::info!(
            max_hashes = hashes,
            cores,
            memory_limit = memory,
            "Computed the maximum number of concurrent password hashes"
        );
        Self {
            permits: Arc::new(Semaphore::new(hashes)),
            new_addresses: Arc::new(Semaphore::new(hashes)),
            waiting: Arc::new(Semaphore::new(settings.hash_queue)),
            memory: Arc::default(),
        }
    }

    /// Enters the queue for a permit.
    ///
    /// # Errors
    /// The queue for callers at new addresses is full.
    pub fn enqueue(&self, known_address: bool) -> Result<Queued, QueueFullError> {
        let new_address = if known_address {
            None
        } else {
            let waiting = self.waiting.clone().try_acquire_owned();
            Some((
                self.new_addresses.clone(),
                waiting.map_err(|_| QueueFullError)?,
            ))
        };
        Ok(Queued {
            permits: self.permits.clone(),
            new_address,
        })
    }

    /// Waits for a permit, then returns true if the password is the one that was hashed.
    #[tracing::instrument(name = "password.verify", skip_all)]
    pub async fn matches(&self, queued: Queued, password: SecretString, hash: String) -> bool {
        let Ok(permit) = queued.permit().await else {
            return false;
        };
        let memory = self.memory.clone();
        let span = tracing::info_span!("password.hash");
        // Hold the permit until the hash is computed, even if the caller disconnects. Otherwise
        // more hashes than permits would run.
        let hashing = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let _entered = span.entered();
            memory.matches(&password, &hash)
        });
        hashing.await.unwrap_or(false)
    }

    /// Returns the number of hashes so far.
    #[must_use]
    pub fn hashes(&self) -> u64 {
        self.memory.hashes.load(Ordering::Relaxed)
    }

    /// Returns the highest number of concurrent hashes so far, which is the number of allocated
    /// buffers.
    #[must_use]
    pub fn allocated_buffers(&self) -> u64 {
        self.memory.allocated_buffers.load(Ordering::Relaxed)
    }

    /// Exports the number of hashes as a metric.
    pub fn export(&self) {
        let hashing = self.clone();
        opentelemetry::global::meter("auth")
            .u64_observable_counter("auth.password.hashes")
            .with_description("Passwords hashed")
            .with_callback(move |counter| counter.observe(hashing.hashes(), &[]))
            .build();
    }
}

impl Queued {
    async fn permit(self) -> Result<Permit, AcquireError> {
        let new_address = match self.new_address {
            Some((new_addresses, _waiting)) => Some(new_addresses.acquire_owned().await?),
            None => None,
        };
        Ok(Permit {
            _new_address: new_address,
            _permit: self.permits.acquire_owned().await?,
        })
    }
}

impl Memory {
    fn matches(&self, password: &SecretString, hash: &str) -> bool {
        let free = || self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        let unused = free().pop();
        let mut buffer = unused.unwrap_or_else(|| {
            self.allocated_buffers.fetch_add(1, Ordering::Relaxed);
            Buffer::default()
        });
        self.hashes.fetch_add(1, Ordering::Relaxed);
        let matches = passwords::matches(password, hash, &mut buffer);
        free().push(buffer);
        matches
    }
}

/// Returns the maximum number of concurrent hashes. The result is at least 1, so that sign-ins are
/// possible with any memory limit.
fn max_hashes(cores: usize, memory_limit: Option<u64>) -> usize {
    let fit = memory_limit.map_or(u64::MAX, |bytes| {
        bytes.saturating_sub(RESERVE_BYTES) / (u64::from(HASH_KIB) * 1024)
    });
    cores.min(usize::try_from(fit).unwrap_or(usize::MAX)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn max_hashes_fits_cores_and_memory() {
        let mib = |count: u64| Some(count * 1024 * 1024);
        for (cores, memory, expected) in [
            (2, mib(256), 2),
            (8, mib(256), 8),
            (64, mib(256), 8),
            (64, mib(512), 21),
            (64, mib(64), 1),
            (64, None, 64),
        ] {
            assert_eq!(max_hashes(cores, memory), expected, "{cores} {memory:?}");
        }
    }
}
