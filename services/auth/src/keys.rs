//! The signing keys. Each key is a PKCS #8 PEM file with mode 0400 that is named after the second
//! of its creation. A `.pem` file that cannot be used is logged and skipped.
//!
//! The newest key signs, but not before it has been published for `auth.key_publish_seconds`; an
//! older key remains published until the last token that it signed has expired. Replicas share the
//! folder.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
};

use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header,
    jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash},
};
use rollcall_platform::{clock::Clock, settings::Settings, token::Claims};
use serde::Serialize;

type BoxError = Box<dyn std::error::Error>;

/// A key pair.
pub struct Key {
    path: PathBuf,
    /// Seconds since the Unix epoch.
    created_at: i64,
    /// RFC 7638 thumbprint.
    kid: String,
    /// Encoded header of the tokens that this key signs.
    header: String,
    pair: RsaKeyPair,
    verifying: DecodingKey,
    jwk: Jwk,
}

impl Key {
    /// Returns a signed token with these claims (RFC 7515, RS256). `jsonwebtoken` is not used,
    /// because it would parse and check the private key for each token, which takes longer than the
    /// signature.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn sign(&self, claims: &Claims) -> Result<String, BoxError> {
        let message = format!("{}.{}", self.header, encoded(claims)?);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = SystemRandom::new();
        self.pair.sign(
            &RSA_PKCS1_SHA256,
            &random,
            message.as_bytes(),
            &mut signature,
        )?;
        Ok(format!(
            "{message}.{}",
            BASE64_URL_SAFE_NO_PAD.encode(signature)
        ))
    }
}

fn encoded(part: &impl Serialize) -> serde_json::Result<String> {
    Ok(BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(part)?))
}

/// Key files, and the keys that were read from them, oldest first.
type Read = (Vec<PathBuf>, Arc<Vec<Arc<Key>>>);

/// The keys in the folder. They are read again when a file was added or removed.
pub struct Keys {
    folder: PathBuf,
    publish_seconds: i64,
    token_seconds: i64,
    read: RwLock<Read>,
}

impl Keys {
    /// Reads the folder. Creates the first key if the folder has no key.
    ///
    /// # Errors
    /// The folder cannot be used, or it contains files but no usable key.
    pub fn open(settings: &Settings, clock: &Clock) -> Result<Self, BoxError> {
        let folder = settings.auth.key_directory.clone();
        fs::create_dir_all(&folder)
            .map_err(|error| format!("auth.key_directory {}: {error}", folder.display()))?;
        let lock = File::open(&folder)?;
        lock.lock()?;
        if files(&folder)?.is_empty() {
            create(&folder, settings.auth.key_bits, clock.now().as_second())?;
        }
        let keys = Self {
            folder,
            publish_seconds: settings.auth.key_publish_seconds.into(),
            token_seconds: settings.token.lifetime_seconds.into(),
            read: RwLock::default(),
        };
        keys.all()?;
        Ok(keys)
    }

    /// Returns the key that signs at `now`, in seconds since the Unix epoch.
    ///
    /// # Errors
    /// The folder cannot be read, or it is empty.
    pub fn signing(&self, now: i64) -> Result<Arc<Key>, BoxError> {
        let keys = self.all()?;
        let index = signing_index(&created(&keys), self.publish_seconds, now)
            .ok_or("there is no signing key")?;
        Ok(keys[index].clone())
    }

    /// Returns the public keys at `now` (RFC 7517), in seconds since the Unix epoch.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn published(&self, now: i64) -> Result<JwkSet, BoxError> {
        let keys = self.all()?;
        let first = first_published(
            &created(&keys),
            self.publish_seconds,
            self.token_seconds,
            now,
        );
        Ok(JwkSet {
            keys: keys[first..].iter().map(|key| key.jwk.clone()).collect(),
        })
    }

    /// Returns the public key with this key ID.
    #[must_use]
    pub fn verifying(&self, kid: &str) -> Option<DecodingKey> {
        Some(
            self.all()
                .ok()?
                .iter()
                .find(|key| key.kid == kid)?
                .verifying
                .clone(),
        )
    }

    fn all(&self) -> Result<Arc<Vec<Arc<Key>>>, BoxError> {
        let present = files(&self.folder)?;
        {
            let read = self
                .read
                .read()
                .map_err(|_| "a reader of the keys panicked")?;
            if read.0 == present {
                return Ok(read.1.clone());
            }
        }
        let keys = Arc::new(load_all(&present)?);
        *self
            .read
            .write()
            .map_err(|_| "a reader of the keys panicked")? = (present, keys.clone());
        Ok(keys)
    }
}

/// Creates a key, and removes keys whose last token has expired. Returns the time in seconds after
/// which the key signs.
///
/// # Errors
/// The folder cannot be written.
pub fn rotate(settings: &Settings, clock: &Clock) -> Result<i64, BoxError> {
    let keys = Keys::open(settings, clock)?;
    let lock = File::open(&keys.folder)?;
    lock.lock()?;
    let now = clock.now().as_second();
    let all = keys.all()?;
    let expired = first_published(
        &created(&all),
        keys.publish_seconds,
        keys.token_seconds,
        now,
    );
    for key in &all[..expired] {
        fs::remove_file(&key.path)?;
    }
    create(&keys.folder, settings.auth.key_bits, now)?;
    Ok(keys.publish_seconds)
}

fn created(keys: &[Arc<Key>]) -> Vec<i64> {
    keys.iter().map(|key| key.created_at).collect()
}

/// Returns the time from which a key signs. The first key signs at once.
fn signs_from(created: &[i64], index: usize, publish_seconds: i64) -> i64 {
    if index == 0 {
        created[0]
    } else {
        created[index] + publish_seconds
    }
}

fn signing_index(created: &[i64], publish_seconds: i64, now: i64) -> Option<usize> {
    (0..created.len())
        .rev()
        .find(|index| signs_from(created, *index, publish_seconds) <= now)
        .or((!created.is_empty()).then_some(0))
}

/// Returns the index of the first key that is still published. A key is no longer needed when its
/// successor has signed for the lifetime of a token.
fn first_published(created: &[i64], publish_seconds: i64, token_seconds: i64, now: i64) -> usize {
    (1..created.len())
        .rev()
        .find(|index| signs_from(created, *index, publish_seconds) + token_seconds < now)
        .unwrap_or(0)
}

/// Returns the key files, oldest first. Their names have ten digits.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    let mut paths: Vec<PathBuf> = entries
        .iter()
        .map(fs::DirEntry::path)
        .filter(|path| path.extension().is_some_and(|e| e == "pem"))
        .collect();
    paths.sort();
    Ok(paths)
}

/// Loads the keys. A file that cannot be used is logged and skipped, so that the other keys can
/// still be used. If no key is left, the first error is returned.
fn load_all(paths: &[PathBuf]) -> Result<Vec<Arc<Key>>, BoxError> {
    let mut keys = Vec::new();
    let mut first_error = None;
    for path in paths {
        match load(path) {
            Ok(key) => keys.push(Arc::new(key)),
            Err(error) => {
                tracing::error!(%error, "Skipped a file in the key folder");
                first_error.get_or_insert(error);
            }
        }
    }
    match first_error {
        Some(error) if keys.is_empty() => Err(error),
        _ => Ok(keys),
    }
}

fn load(path: &Path) -> Result<Key, BoxError> {
    let failed = |why: String| format!("signing key {}: {why}", path.display());
    let mode = fs::metadata(path)?.permissions().mode() & 0o777;
    if mode != 0o400 {
        return Err(failed(format!(
            "the file mode must be 0400 (got {mode:04o}). Run chmod 0400 and restart auth. Others \
             may have read the key, so consider a new one"
        ))
        .into());
    }
    let created_at = path
        .file_stem()
        .and_then(|stem| stem.to_str()?.parse().ok())
        .ok_or_else(|| failed("the file name must be a time in seconds since 1970".into()))?;
    let text = fs::read(path)?;
    let encoding = EncodingKey::from_rsa_pem(&text).map_err(|error| failed(error.to_string()))?;
    let pkcs8 = pem::parse(&text).map_err(|error| failed(error.to_string()))?;
    let pair =
        RsaKeyPair::from_pkcs8(pkcs8.contents()).map_err(|error| failed(error.to_string()))?;
    let mut jwk = Jwk::from_encoding_key(&encoding, Algorithm::RS256)
        .map_err(|error| failed(error.to_string()))?;
    let kid = jwk.thumbprint(ThumbprintHash::SHA256)?;
    jwk.common.key_id = Some(kid.clone());
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    let verifying = DecodingKey::from_jwk(&jwk)?;
    let header = Header {
        kid: Some(kid.clone()),
        ..Header::new(Algorithm::RS256)
    };
    Ok(Key {
        path: path.to_owned(),
        created_at,
        kid,
        header: encoded(&header)?,
        pair,
        verifying,
        jwk,
    })
}

/// Creates a key. It is written under a temporary name first, so that no replica reads an
/// incomplete key. An existing file is never replaced, because its key may have signed tokens. If
/// the name is taken, the next free second is used.
fn create(folder: &Path, bits: u32, now: i64) -> Result<(), BoxError> {
    let size = match bits {
        2048 => KeySize::Rsa2048,
        3072 => KeySize::Rsa3072,
        4096 => KeySize::Rsa4096,
        other => {
            return Err(format!("auth.key_bits must be 2048, 3072 or 4096 (got {other})").into());
        }
    };
    let pair = KeyPair::generate(size)?;
    let text = pem::encode(&pem::Pem::new("PRIVATE KEY", pair.as_der()?.as_ref()));
    // Remove the file of an interrupted process. The caller holds the lock of the folder.
    let unfinished = folder.join("unfinished.new");
    if unfinished.exists() {
        fs::remove_file(&unfinished)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o400)
        .open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    for second in now.. {
        match fs::hard_link(&unfinished, folder.join(format!("{second:010}.pem"))) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (),
            linked => {
                linked?;
                break;
            }
        }
    }
    fs::remove_file(&unfinished)?;
    File::open(folder)?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_key_is_published_before_it_signs_and_old_key_until_its_last_token_has_expired() {
        let keys = [1000, 5000];
        let signs = |now| signing_index(&keys, 600, now);
        let published_from = |now| first_published(&keys, 600, 120, now);
        assert_eq!((signs(5001), published_from(5001)), (Some(0), 0));
        assert_eq!((signs(5599), published_from(5599)), (Some(0), 0));
        assert_eq!((signs(5600), published_from(5600)), (Some(1), 0));
        assert_eq!((signs(5720), published_from(5720)), (Some(1), 0));
        assert_eq!((signs(5721), published_from(5721)), (Some(1), 1));
    }

    #[test]
    fn first_key_signs_at_once_at_any_time() {
        assert_eq!(signing_index(&[1000], 600, 1000), Some(0));
        assert_eq!(signing_index(&[1000], 600, 10), Some(0));
        assert_eq!(signing_index(&[], 600, 10), None);
    }
}
