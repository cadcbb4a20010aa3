//! Replaces the keys and the RADIUS shared secrets of sources.

use rollcall_credentials::source_keys;
use rollcall_store::{Pool, sources};
use serde_json::json;

use super::unknown;
use crate::{change, failure::CommandError, generate, output::Output};

/// Returns new credentials. `--quiet` prints the key and, in a second line, the RADIUS secret.
pub fn credentials(name: &str, key: &str, radius_secret: Option<&str>) -> Output {
    let mut shown = json!({"name": name, "key": key});
    let mut secrets = vec![key];
    if let Some(secret) = radius_secret {
        shown["radius_secret"] = secret.into();
        secrets.push(secret);
    }
    Output::one(shown, "The key is shown only once.").secrets(&secrets)
}

pub async fn rotate_radius_secret(pool: &Pool, name: &str) -> Result<Output, CommandError> {
    let secret = generate::radius_secret();
    let known = change(
        pool,
        "source.rotate-radius-secret",
        name,
        async |connection| sources::set_radius_secret(connection, name, &secret).await,
    );
    known.await?.then_some(()).ok_or_else(|| unknown(name))?;
    Ok(Output::one(
        json!({"name": name, "radius_secret": secret}),
        "The secret is shown only once. The change takes effect within 5 seconds.",
    )
    .secrets(&[&secret]))
}

pub async fn rotate_key(pool: &Pool, name: &str) -> Result<Output, CommandError> {
    let key = generate::source_key();
    let known = change(pool, "source.rotate-key", name, async |connection| {
        sources::rotate_key(connection, name, &source_keys::hash(&key)).await
    });
    known.await?.then_some(()).ok_or_else(|| unknown(name))?;
    Ok(credentials(name, &key, None))
}
