//! Tokens and API clients. The private key lives only here.

pub mod client_address;
pub mod credentials;
pub mod form;
pub mod hashing;
pub mod keys;
pub mod limits;
pub mod memory_limit;
pub mod openapi;
pub mod passwords;
pub mod rejected;
pub mod remembered;
pub mod routes;
pub mod startup;
pub mod tokens;
