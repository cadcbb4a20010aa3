//! Version 2 of the reporting API.

mod support;

mod attendance;
mod errors;
mod parameters;
