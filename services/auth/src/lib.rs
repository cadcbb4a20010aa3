//! Tokens and API clients. The private key lives only here.

pub mod credentials;
pub mod form;
pub mod keys;
pub mod openapi;
pub mod passwords;
pub mod routes;
pub mod startup;
pub mod tokens;
