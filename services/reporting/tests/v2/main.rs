//! Version 2 of the reporting API.

mod support;

mod attendance;
mod cursor;
mod directory;
mod documents;
mod downloads;
mod errors;
mod evidence;
mod exceptions;
mod outages;
mod parameters;
mod shapes;
