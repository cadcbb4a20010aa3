//! The domain: events, the sessions that they merge into, and the period that a report covers.
//!
//! Pure: no I/O, no clock of its own. Instants are UTC at microsecond precision, which is what
//! the database keeps.

pub mod event;
pub mod period;
pub mod session;
mod time;

pub use rollcall_wire::quote as shown;

/// The realm of a user whose gateway names none.
pub const DEFAULT_REALM: &str = "Default";

/// What a user or realm name is compared by: names that differ only in case are one.
#[must_use]
pub fn key(name: &str) -> String {
    name.to_lowercase()
}
