//! The datagram receiver: it takes RADIUS and syslog by UDP and forwards to ingestion what comes
//! from a source network.
//!
//! It stands apart from the proxy and has no access to the database, so that a flood of datagrams
//! harms neither.

pub mod counters;
pub mod forwarder;
pub mod limiter;
pub mod networks;
pub mod replicas;
pub mod startup;
