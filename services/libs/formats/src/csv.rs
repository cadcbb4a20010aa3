//! CSV: the user log that the gateway exports, of which each row is a session, and the mappings of
//! persons to employees.

mod columns;
mod decoder;
mod delimiter;
mod mapping;
mod mapping_plan;
mod reader;
mod row;

pub use columns::{ColumnError, Columns, Fields, MAPPING, SESSION};
pub use decoder::{Encoding, encoding};
pub use delimiter::{delimiter, name as delimiter_name};
pub use mapping::mapping;
pub use mapping_plan::{Counts, Parsed, Plan, Reason, Rejection};
pub use reader::{Format, REJECT_COLUMNS, Reader, Row, RowError};
pub use row::{Session, Times, session};
