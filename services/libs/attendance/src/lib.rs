//! The domain: events, the sessions that they merge into, and the rows of reports.
//!
//! This crate does no I/O and reads no clock. Instants are UTC with microsecond precision, like
//! those in the database.

pub mod calendar;
pub mod completeness;
pub mod correlation;
pub mod employee;
pub mod event;
pub mod name;
pub mod name_rules;
pub mod period;
pub mod person;
pub mod row;
pub mod session;
pub mod text;
pub mod time;
pub mod user_form;

/// Realm of a user whose gateway names no realm.
pub const DEFAULT_REALM: &str = "Default";
