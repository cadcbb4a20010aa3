//! Streams are reports on more than one person. A stream uses a database connection until its
//! client has read the report. Streams are therefore limited in number and duration, and a client
//! must read at a minimum rate.

pub mod feed;
pub mod pace;
pub mod permits;
pub mod queue;
