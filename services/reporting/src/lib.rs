//! Attendance reports: views of one query layer, which is `rollcall_store::sessions`.

pub mod openapi;
pub mod rate_limit;
pub mod reports;
pub mod startup;
pub mod streams;
pub mod v1;
