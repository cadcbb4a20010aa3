//! Generates random user names, passwords and keys.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::RngExt;
use secrecy::SecretString;

/// Characters of names and RADIUS secrets, without those that look alike.
const NAME: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Characters of passwords, by kind. No shell, JSON text, URL or form changes them.
const PASSWORD: [&[u8]; 4] = [
    b"abcdefghijkmnopqrstuvwxyz",
    b"ABCDEFGHJKLMNPQRSTUVWXYZ",
    b"23456789",
    b"-._~@=^,",
];

/// Returns a user name of 20 characters.
pub fn user_name() -> String {
    let mut random = rand::rng();
    (0..20)
        .map(|_| char::from(NAME[random.random_range(0..NAME.len())]))
        .collect()
}

/// Returns a password of 24 characters, with at least one of each kind.
pub fn password() -> SecretString {
    let alphabet = PASSWORD.concat();
    let mut random = rand::rng();
    loop {
        let candidate: String = (0..24)
            .map(|_| char::from(alphabet[random.random_range(0..alphabet.len())]))
            .collect();
        if PASSWORD
            .iter()
            .all(|kind| candidate.bytes().any(|byte| kind.contains(&byte)))
        {
            return candidate.into();
        }
    }
}

/// Returns a source key of 256 random bits, as 43 characters.
pub fn source_key() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// Returns a RADIUS shared secret of 32 characters that gateways of all vendors accept.
pub fn radius_secret() -> String {
    let mut random = rand::rng();
    (0..32)
        .map(|_| char::from(NAME[random.random_range(0..NAME.len())]))
        .collect()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn generated_values_have_the_documented_lengths_and_kinds() {
        for _ in 0..100 {
            assert_eq!(user_name().len(), 20);
            let password = password();
            assert_eq!(password.expose_secret().len(), 24);
            assert!(
                password
                    .expose_secret()
                    .chars()
                    .any(|character| !character.is_alphanumeric())
            );
            assert_eq!(source_key().len(), 43);
        }
    }
}
