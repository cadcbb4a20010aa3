//! CSV as the gateway's own user log exports it: a row is a session.

mod columns;
mod row;

pub use columns::{Columns, pair};
pub use row::{Times, events};
