//! Receives events from sources over HTTP, RADIUS and syslog, and records them.

pub mod arrivals;
pub mod body;
pub mod budget;
mod counts;
pub mod doors;
pub mod openapi;
pub mod receipt;
pub mod recorder;
pub mod routes;
pub mod senders;
pub mod source_key;
pub mod startup;
pub mod sweeper;
pub mod upkeep;
mod window;
