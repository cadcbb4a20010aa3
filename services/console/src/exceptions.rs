//! Exceptions: what a person should look at, what it means and what to do.

pub mod query;
pub mod view;
pub mod words;
