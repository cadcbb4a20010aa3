//! Attendance as files: CSV, NDJSON, XLSX, Parquet, and the shapes that HR systems import.

pub mod local_time;
pub mod row;
#[cfg(test)]
mod samples;
