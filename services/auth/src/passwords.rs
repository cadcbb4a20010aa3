//! Password hashes: argon2id, 19 MiB, 2 passes, 1 lane (OWASP), off the event loop and never more
//! at once than there are cores.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The PHC string of a password.
///
/// # Errors
/// The system gives no randomness.
pub fn hash(password: &SecretString) -> Result<String, argon2::password_hash::Error> {
    Ok(hasher()
        .hash_password(password.expose_secret().as_bytes())?
        .to_string())
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Too many are waiting already.
#[derive(Debug)]
pub struct Busy;

/// Hands out turns to hash.
#[derive(Debug, Clone)]
pub struct Hashing {
    cores: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// A turn: hold it while one password is looked at.
#[derive(Debug)]
pub struct Turn {
    _core: OwnedSemaphorePermit,
}

impl Hashing {
    /// As many turns at once as there are cores, and `queue` callers that wait for one.
    #[must_use]
    pub fn new(queue: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            cores: Arc::new(Semaphore::new(cores)),
            waiting: Arc::new(Semaphore::new(queue)),
        }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn turn(&self) -> Result<Turn, Busy> {
        let _place = self.waiting.try_acquire().map_err(|_| Busy)?;
        let core = self.cores.clone().acquire_owned().await.map_err(|_| Busy)?;
        Ok(Turn { _core: core })
    }
}

impl Turn {
    /// Whether the password is the one that was hashed; false for a hash that is none.
    pub async fn matches(self, password: SecretString, hash: String) -> bool {
        let verify = move || {
            let parsed = PasswordHash::new(&hash).ok()?;
            hasher()
                .verify_password(password.expose_secret().as_bytes(), &parsed)
                .ok()
        };
        tokio::task::spawn_blocking(verify)
            .await
            .ok()
            .flatten()
            .is_some()
    }
}
