//! Version 1: KB008 to the letter. It never changes.
#![allow(
    clippy::missing_errors_doc,
    reason = "the answers of each address are in its utoipa attribute"
)]

pub mod body;
pub mod filters;
pub mod sessions;
