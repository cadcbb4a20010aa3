//! Sets how a source must authenticate itself for RADIUS and for syslog over TLS.

use rollcall_store::{Pool, sources};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::unknown;
use crate::{change, failure::CommandError, output::Output};

pub async fn require_message_authenticator(
    pool: &Pool,
    name: &str,
    required: bool,
) -> Result<Output, CommandError> {
    let known = change(
        pool,
        "source.require-message-authenticator",
        name,
        async |connection| sources::require_message_authenticator(connection, name, required).await,
    );
    known.await?.then_some(()).ok_or_else(|| unknown(name))?;
    Ok(Output::one(
        json!({"name": name, "require_message_authenticator": required}),
        "The change takes effect within 5 seconds.",
    ))
}

/// `certificate` is PEM; `None` removes the requirement.
pub async fn set_certificate(
    pool: &Pool,
    name: &str,
    certificate: Option<&str>,
) -> Result<Output, CommandError> {
    let fingerprint = certificate.map(fingerprint).transpose()?;
    let known = change(pool, "source.set-certificate", name, async |connection| {
        sources::set_client_certificate(connection, name, fingerprint.as_deref()).await
    });
    known.await?.then_some(()).ok_or_else(|| unknown(name))?;
    Ok(Output::one(
        json!({"name": name, "client_certificate": fingerprint.map(hex::encode)}),
        "The change takes effect within 5 seconds, for new connections.",
    ))
}

/// Returns the SHA-256 fingerprint of the first certificate of a PEM file.
fn fingerprint(text: &str) -> Result<Vec<u8>, CommandError> {
    let blocks = pem::parse_many(text)
        .map_err(|error| format!("The certificate must be a PEM file: {error}."))?;
    let certificate = blocks
        .iter()
        .find(|block| block.tag() == "CERTIFICATE")
        .ok_or("The file has no certificate. It must contain a PEM block BEGIN CERTIFICATE.")?;
    Ok(Sha256::digest(certificate.contents()).to_vec())
}
