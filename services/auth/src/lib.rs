//! Signs API clients in and issues tokens. Only this service has the private signing keys.

pub mod client_address;
pub mod credentials;
pub mod form;
pub mod hashing;
pub mod keys;
pub mod limits;
pub mod memory_limit;
pub mod openapi;
pub mod remembered;
pub mod routes;
pub mod sign_in_error;
pub mod startup;
pub mod tokens;
