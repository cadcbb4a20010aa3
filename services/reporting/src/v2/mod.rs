//! Version 2: everything beyond KB008.

pub mod cursor;
pub mod list;
pub mod parameters;
