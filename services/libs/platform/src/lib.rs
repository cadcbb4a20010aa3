//! Code that all services share: settings, clock, telemetry, HTTP server, error responses and token
//! verification. This crate does not use the database.

mod access_log;
pub mod allow_list;
pub mod clock;
pub mod command;
pub mod datagram;
pub mod envelope;
pub mod health;
pub mod jwks;
pub mod log_sampler;
pub mod openapi;
pub mod problem_details;
pub mod redis;
pub mod replicas;
pub mod request;
pub mod rule_files;
pub mod server;
pub mod socket;
pub mod telemetry;
pub mod token;

pub use rollcall_settings as settings;
