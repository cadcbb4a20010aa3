//! The jobs on a real database.

mod partitions;
mod replicas;
mod retention;
mod source_statistics;
mod support;
