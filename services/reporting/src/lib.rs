//! The service `reporting`: attendance reports. `rollcall_store` has the queries.

pub mod access;
pub mod openapi;
pub mod rate_limit;
pub mod reports;
pub mod scratch;
pub mod startup;
pub mod streams;
pub mod v1;
pub mod v2;
