//! Receives events from sources over HTTP, RADIUS and syslog, and records them.

pub mod arrivals;
pub mod body;
pub mod budget;
mod counts;
pub mod ingestion_result;
mod look_up_cache;
pub mod openapi;
pub mod receivers;
pub mod recorder;
pub mod rejected_inputs;
pub mod routes;
pub mod rules;
pub mod source_key;
pub mod source_networks;
pub mod startup;
mod window;
