//! The datagram receiver. Receives RADIUS and syslog over UDP and forwards datagrams from source
//! networks to ingestion.
//!
//! The receiver is separate from the reverse proxy and has no access to the database, so that a
//! flood of datagrams affects neither.

pub mod counters;
pub mod forwarder;
pub mod heartbeats;
pub mod limiter;
pub mod networks;
pub mod replicas;
pub mod startup;
