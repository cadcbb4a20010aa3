//! The domain: events, the sessions that they merge into, and the period that a report covers.
//!
//! Pure: no I/O, no clock of its own. Instants are UTC at microsecond precision, which is what
//! the database keeps.

pub mod event;
pub mod name;
pub mod period;
pub mod person;
pub mod session;
pub mod shown;
mod time;

/// The realm of a user whose gateway names none.
pub const DEFAULT_REALM: &str = "Default";
