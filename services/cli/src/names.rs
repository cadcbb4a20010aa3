//! Names of API clients and sources.

use crate::failure::CommandError;

/// Checks a new name: 1 to 64 letters, digits and `punctuation`.
///
/// # Errors
/// Returns a message that says what is accepted.
pub fn check(name: &str, punctuation: &str) -> Result<(), CommandError> {
    let is_allowed =
        |character: char| character.is_ascii_alphanumeric() || punctuation.contains(character);
    if (1..=64).contains(&name.len()) && name.chars().all(is_allowed) {
        return Ok(());
    }
    Err(CommandError::Usage(format!(
        "NAME must be 1 to 64 letters, digits or characters of \"{punctuation}\" (got {name:?})."
    )))
}
