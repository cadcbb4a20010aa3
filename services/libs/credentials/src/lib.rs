//! Hashes of passwords and source keys. The services verify credentials with them, and the command
//! line creates credentials with them.

pub mod passwords;
pub mod source_keys;
