//! Names of API clients and sources.

use crate::failure::CommandError;

/// Checks a new name: 1 to 64 letters, digits and `punctuation`.
///
/// # Errors
/// Returns a message that names `argument` and what it accepts.
pub fn check(argument: &str, name: &str, punctuation: &str) -> Result<(), CommandError> {
    let is_allowed =
        |character: char| character.is_ascii_alphanumeric() || punctuation.contains(character);
    if (1..=64).contains(&name.len()) && name.chars().all(is_allowed) {
        return Ok(());
    }
    Err(CommandError::Usage(format!(
        "{argument} must be 1 to 64 letters, digits or characters of \"{punctuation}\" (got \
         {name:?})."
    )))
}
