//! Version 2 of the reporting API.

mod support;

mod attendance;
mod directory;
mod errors;
mod evidence;
mod exceptions;
mod parameters;
