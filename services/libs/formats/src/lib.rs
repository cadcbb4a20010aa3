//! Parsers of the formats in which gateways report events: JSON, RADIUS accounting, syslog and CSV.
//!
//! This crate does no I/O and reads no clock. Each parser has a fuzz target in
//! `services/tests/fuzz`.

pub mod csv;
pub mod json;
mod local_time;
pub mod radius;
pub mod record;
pub mod rules;
mod scan;
pub mod syslog;

use sha2::{Digest, Sha256};

/// Derives an ID for an event or a session that has none: `kind` and a 128-bit hash of `parts` in
/// hexadecimal. Recorded IDs depend on this function, so its result must never change.
fn made_id(kind: &str, parts: &[&str]) -> String {
    format!("{kind}-{}", hex::encode(&digest(parts)[..16]))
}

/// Returns the SHA-256 of the parts of an input.
fn digest(parts: &[&str]) -> [u8; 32] {
    Sha256::digest(parts.join("\0")).into()
}

/// Derives an ID for an event, in which the time of the event in seconds since 1970 precedes the
/// hash, if it is known. Events that occur close together then have IDs that are close together in
/// the index. Hashes alone would spread the writes over the whole index.
fn made_event_id(kind: &str, second: Option<i64>, parts: &[&str]) -> String {
    second.map_or_else(
        || made_id(kind, parts),
        |second| made_id(&format!("{kind}-{second:010}"), parts),
    )
}
