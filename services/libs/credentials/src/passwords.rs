//! Password hashes: argon2id, 19 MiB, 2 passes, 1 lane (OWASP).

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{
        PasswordHasher,
        phc::{Output, PasswordHash},
    },
};
use secrecy::{ExposeSecret, SecretString};

/// Memory of one hash, in KiB. A block of argon2 is 1 KiB.
pub const HASH_KIB: u32 = 19 * 1024;

/// Working memory of a hash.
pub struct Buffer(Vec<Block>);

impl Default for Buffer {
    fn default() -> Self {
        Self(vec![Block::default(); HASH_KIB as usize])
    }
}

/// Hashes a password. Returns the PHC string.
///
/// # Errors
/// The operating system provides no random bytes.
pub fn hash(password: &SecretString) -> Result<String, argon2::password_hash::Error> {
    Ok(hasher()
        .hash_password(password.expose_secret().as_bytes())?
        .to_string())
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(HASH_KIB, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Returns true if the password matches the hash. Returns false if the hash cannot be parsed or
/// needs more memory than the buffer has.
pub fn matches(password: &SecretString, hash: &str, buffer: &mut Buffer) -> bool {
    PasswordHash::new(hash)
        .ok()
        .and_then(|stored| Some(compute(password, &stored, buffer)? == stored.hash?))
        .unwrap_or(false)
}

/// Hashes a password with the parameters and the salt of `stored`. The result is compared in
/// constant time.
fn compute(password: &SecretString, stored: &PasswordHash, buffer: &mut Buffer) -> Option<Output> {
    let algorithm = Algorithm::try_from(stored.algorithm.as_str()).ok()?;
    let version = Version::try_from(stored.version?).ok()?;
    let argon2 = Argon2::new(algorithm, version, Params::try_from(stored).ok()?);
    let mut output = vec![0; stored.hash.as_ref()?.len()];
    let password = password.expose_secret().as_bytes();
    let salt = stored.salt.as_ref()?;
    argon2
        .hash_password_into_with_memory(password, salt, &mut output, &mut buffer.0)
        .ok()?;
    Output::new(&output).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hashed_password_matches_and_a_buffer_can_be_used_again() {
        let (right, wrong) = (SecretString::from("right"), SecretString::from("wrong"));
        let stored = hash(&right).expect("a hash");
        let mut buffer = Buffer::default();
        for _ in 0..2 {
            assert!(matches(&right, &stored, &mut buffer));
            assert!(!matches(&wrong, &stored, &mut buffer));
        }
        assert!(!matches(&right, "not a hash", &mut buffer));
    }

    #[test]
    fn hash_that_needs_more_memory_than_the_buffer_does_not_match() {
        let stored = hash(&SecretString::from("right")).expect("a hash");
        let larger = stored.replace("m=19456", "m=29456");
        assert_ne!(stored, larger);
        assert!(!matches(
            &SecretString::from("right"),
            &larger,
            &mut Buffer::default()
        ));
    }
}
