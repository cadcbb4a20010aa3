//! The service `reporting`: attendance reports. `rollcall_store` has the queries.

pub mod access;
pub mod openapi;
pub mod rate_limit;
pub mod startup;
pub mod v1;
pub mod v2;

pub use rollcall_reports as reports;
