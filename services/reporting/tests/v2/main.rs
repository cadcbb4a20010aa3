//! Version 2 of the reporting API.

mod support;

mod attendance;
mod cursor;
mod documents;
mod downloads;
mod errors;
mod outages;
mod parameters;
mod shapes;
