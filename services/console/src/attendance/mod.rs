//! Attendance of all persons, and the timeline of a day.

pub mod filter;
pub mod order;
pub mod page;
pub mod query;
pub mod sessions;
pub mod state;
pub mod timeline;
pub mod view;
