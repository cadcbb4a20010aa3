//! Messages of the published interfaces. One type for each message parses, writes and documents it.
//!
//! This crate is the lowest one: both ends of an interface depend on it.

mod field_error;
pub mod form;
mod ingestion_result;
pub mod json;
pub mod quote;
mod raw_event;
mod texts;

pub use field_error::FieldError;
pub use ingestion_result::{IngestionResult, Rejection};
pub use raw_event::RawEvent;
