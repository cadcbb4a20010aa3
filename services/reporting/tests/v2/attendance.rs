//! Rows of `/api/v2/attendance` in pages of JSON.
