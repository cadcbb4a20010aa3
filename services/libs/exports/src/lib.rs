//! Attendance as files: CSV, NDJSON, XLSX, Parquet, and the shapes that HR systems import.
