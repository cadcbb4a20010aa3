//! CSV in the format that the user log of the gateway exports. Each row is a session.

mod columns;
mod decoder;
mod delimiter;
mod reader;
mod row;

pub use columns::{Columns, pair};
pub use decoder::{Encoding, encoding};
pub use delimiter::{delimiter, name as delimiter_name};
pub use reader::{Format, REJECT_COLUMNS, Reader, Row};
pub use row::{Session, Times, session};
