//! Attendance as files: CSV, NDJSON, XLSX, Parquet, and the shapes that HR systems import.
//!
//! [`Format`] writes rows, [`Shape`] writes intervals. Both turn a stream of items into a stream of
//! chunks, in constant memory. This crate does no I/O but for the scratch files of a workbook.

mod column;
mod columnar;
mod encode;
mod format;
mod local_time;
mod ndjson;
pub mod row;
#[cfg(test)]
mod samples;
mod separated;
mod shape;
mod workbook;

pub use column::Layout;
pub use encode::EncodeError;
pub use format::{Format, Options};
pub use local_time::{LocalTime, Offsets};
pub use separated::{CsvOptions, Separator};
pub use shape::{Provisional, Shape};
