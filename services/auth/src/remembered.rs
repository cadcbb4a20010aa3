//! Remembers recently verified passwords as keyed digests, so that they need not be hashed again.

use std::time::Duration;

use aws_lc_rs::{
    error::Unspecified,
    hmac::{Context, HMAC_SHA256, Key},
    rand::SystemRandom,
};
use moka::future::Cache;
use secrecy::{ExposeSecret, SecretString};

/// Maximum number of digests. Each takes about 100 bytes of memory.
const MAX_DIGESTS: u64 = 100_000;

/// HMAC-SHA-256 over a user name, a password and the stored hash.
type Digest = [u8; 32];

/// Digests of verified passwords. The key is generated at startup and exists only in memory.
#[derive(Clone)]
pub struct Remembered {
    key: Key,
    digests: Cache<Digest, ()>,
}

impl Remembered {
    /// Creates an empty store that remembers each password for `seconds`.
    ///
    /// # Errors
    /// The operating system provides no random bytes.
    pub fn new(seconds: u64) -> Result<Self, Unspecified> {
        Ok(Self {
            key: Key::generate(HMAC_SHA256, &SystemRandom::new())?,
            digests: Cache::builder()
                .max_capacity(MAX_DIGESTS)
                .time_to_live(Duration::from_secs(seconds))
                .build(),
        })
    }

    /// Returns true if this password was verified against this stored hash. A new stored hash
    /// invalidates all earlier digests.
    pub async fn contains(&self, name: &str, password: &SecretString, hash: &str) -> bool {
        let digest = self.digest(name, password, hash);
        self.digests.get(&digest).await.is_some()
    }

    /// Returns true if the password is remembered or `verify` returns true. Concurrent callers with
    /// the same credentials share one call of `verify`. A wrong password is not remembered.
    pub async fn or_verify(
        &self,
        name: &str,
        password: &SecretString,
        hash: &str,
        verify: impl Future<Output = bool>,
    ) -> bool {
        let right = async { verify.await.then_some(()).ok_or(()) };
        let digest = self.digest(name, password, hash);
        self.digests.try_get_with(digest, right).await.is_ok()
    }

    fn digest(&self, name: &str, password: &SecretString, hash: &str) -> Digest {
        let mut context = Context::with_key(&self.key);
        for part in [name, password.expose_secret(), hash] {
            context.update(&part.len().to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut digest = Digest::default();
        digest.copy_from_slice(context.sign().as_ref());
        digest
    }
}
