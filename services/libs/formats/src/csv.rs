//! CSV in the format that the user log of the gateway exports. Each row is a session.

mod columns;
mod row;

pub use columns::{Columns, pair};
pub use row::{Times, events};
