//! Periodic background work on the database. No other service waits for it.

pub mod jobs;
pub mod startup;
