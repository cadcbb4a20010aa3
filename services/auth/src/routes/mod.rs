//! Handlers of the endpoints, one file for each.
#![allow(
    clippy::missing_errors_doc,
    reason = "the errors of each endpoint are in its utoipa attribute"
)]

pub mod connect;
pub mod introspect;
pub mod jwks;
pub mod metadata;
pub mod revoke;
pub mod token;
