//! User names, passwords and keys that nobody can guess.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::RngExt;
use secrecy::SecretString;

/// Without those that look alike.
const NAME: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// None that a shell, JSON, a URL or a form would change.
const PASSWORD: [&[u8]; 4] = [
    b"abcdefghijkmnopqrstuvwxyz",
    b"ABCDEFGHJKLMNPQRSTUVWXYZ",
    b"23456789",
    b"-._~@=^,",
];

/// 20 characters.
pub fn user_name() -> String {
    let mut random = rand::rng();
    (0..20)
        .map(|_| char::from(NAME[random.random_range(0..NAME.len())]))
        .collect()
}

/// 24 characters, each kind among them.
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

/// 256 random bits.
pub fn source_key() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// 32 characters that every gateway's form takes.
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
    fn lengths_and_kinds_are_as_promised() {
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
