//! Progress of a long command: one line on standard error that is overwritten, on a terminal only.

use std::io::{IsTerminal, Write, stderr};

/// Environment variable that scripts/rollcall sets if its standard error is a terminal. The
/// container of the command line itself has none, so that crates for progress bars show nothing.
const TERMINAL: &str = "OPERATOR_PROGRESS";

/// Clears the line of the cursor (ECMA-48: CR, EL).
const CLEAR_LINE: &str = "\r\x1b[K";

/// Shows progress.
pub struct Progress {
    is_shown: bool,
}

impl Progress {
    /// Creates a progress line. With `quiet` none is shown.
    pub fn new(quiet: bool) -> Self {
        let is_terminal = std::env::var_os(TERMINAL).is_some() || stderr().is_terminal();
        Self {
            is_shown: is_terminal && !quiet,
        }
    }

    /// Replaces the line.
    pub fn show(&self, line: &str) {
        if self.is_shown {
            // Progress is only information, so a closed standard error is no failure.
            let _ = write!(stderr(), "{CLEAR_LINE}{line}");
        }
    }

    /// Removes the line.
    pub fn end(&self) {
        self.show("");
    }
}
