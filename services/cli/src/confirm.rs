//! Confirmation of commands that disconnect a gateway or a client.

use std::io::{BufRead, IsTerminal, Write, stderr, stdin};

use crate::failure::CommandError;

/// Environment variable that scripts/rollcall sets if its standard input is a terminal. The
/// container of the command line itself has none.
const TERMINAL: &str = "OPERATOR_TERMINAL";

/// Asks the operator to confirm. `consequence` is a whole sentence.
///
/// # Errors
/// The operator declines, or there is no terminal and `--yes` was not given.
pub fn confirm(consequence: &str, yes: bool) -> Result<(), CommandError> {
    if yes {
        return Ok(());
    }
    if std::env::var_os(TERMINAL).is_none() && !stdin().is_terminal() {
        return Err(CommandError::Usage(format!(
            "{consequence} Give --yes to confirm, because standard input is not a terminal."
        )));
    }
    let mut answer = String::new();
    let mut error = stderr();
    write!(error, "{consequence} Continue? [y/N] ").and_then(|()| error.flush())?;
    stdin().lock().read_line(&mut answer)?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err("Nothing was changed, because the command was not confirmed.".into()),
    }
}
