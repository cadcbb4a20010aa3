//! Streams: reports of more than one person. Each holds a database connection for as long as its client reads, so they are
//! limited in number, in duration and in how slowly a client may read.

pub mod feed;
pub mod pace;
pub mod permits;
pub mod queue;
