//! Attendance of all persons, and the timeline of a day.

pub mod order;
pub mod page;
pub mod query;
pub mod state;
pub mod timeline;
pub mod view;
