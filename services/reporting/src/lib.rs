//! The service `reporting`: attendance reports. `rollcall_store::sessions` has the queries.

pub mod openapi;
pub mod rate_limit;
pub mod reports;
pub mod startup;
pub mod streams;
pub mod v1;
