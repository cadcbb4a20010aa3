//! One file per address.
#![allow(
    clippy::missing_errors_doc,
    reason = "the answers of each address are in its utoipa attribute"
)]

pub mod connect;
pub mod introspect;
pub mod jwks;
pub mod metadata;
pub mod revoke;
pub mod token;
