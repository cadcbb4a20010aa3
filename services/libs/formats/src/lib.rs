//! What gateways speak, parsed into events: JSON, RADIUS accounting, syslog and CSV.
//!
//! Pure: bytes in, events out, no I/O and no clock. Each parser has a fuzz target in
//! `services/tests/fuzz`.

pub mod csv;
pub mod json;
pub mod radius;
pub mod syslog;

use sha2::{Digest, Sha256};

/// An id made of what names the thing, for events and sessions that have none of their own: 128 bits in hexadecimal.
/// Released ids depend on it.
fn made_id(kind: &str, parts: &[&str]) -> String {
    format!(
        "{kind}-{}",
        hex::encode(&Sha256::digest(parts.join("\0"))[..16])
    )
}

/// The same for an event, with its second since 1970 before it where it has one: ids of neighbours in time are neighbours in the
/// index of ids then, which digests alone would have written all over.
fn made_event_id(kind: &str, second: Option<i64>, parts: &[&str]) -> String {
    second.map_or_else(
        || made_id(kind, parts),
        |second| made_id(&format!("{kind}-{second:010}"), parts),
    )
}
