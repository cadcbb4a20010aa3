//! A person or an employee: the month as a calendar, and a day with its evidence.

pub mod evidence;
pub mod month;
pub mod provisional;
pub mod query;
pub mod view;
