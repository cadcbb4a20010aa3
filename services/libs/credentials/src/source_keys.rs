//! Hashes of source keys.

use sha2::{Digest, Sha256};

/// Returns the SHA-256 of a source key. A slower hash is not necessary, because a key has 256
/// random bits.
#[must_use]
pub fn hash(key: &str) -> Vec<u8> {
    Sha256::digest(key).to_vec()
}
