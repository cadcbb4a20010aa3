//! HTTP routes, one file per path.
#![allow(
    clippy::missing_errors_doc,
    reason = "the answers of each address are in its utoipa attribute"
)]

pub mod events;
