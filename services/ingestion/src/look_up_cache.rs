//! The cache of look-ups of sources.

use std::{hash::Hash, time::Duration};

use moka::future::Cache;

/// Time for which a look-up is cached. A change of a source takes effect within this time.
const CACHE_TIME: Duration = Duration::from_secs(5);

/// Maximum number of cached look-ups.
const MAX_LOOK_UPS: u64 = 10_000;

/// Creates an empty cache.
pub(crate) fn new<K, V>() -> Cache<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    Cache::builder()
        .max_capacity(MAX_LOOK_UPS)
        .time_to_live(CACHE_TIME)
        .build()
}
