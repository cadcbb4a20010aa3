//! Reasons why a command fails, and the exit codes.

use std::{error::Error, process::ExitCode};

use serde_json::json;

/// Reason why a command fails.
#[derive(Debug)]
pub enum CommandError {
    /// The command line is wrong. Exit code 2.
    Usage(String),
    /// The command failed. Exit code 1.
    Failed(Box<dyn Error>),
}

impl<E: Into<Box<dyn Error>>> From<E> for CommandError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl CommandError {
    /// Prints the error to standard error, as text or as JSON. Returns the exit code.
    pub fn report(&self, json: bool) -> ExitCode {
        let (message, code) = match self {
            Self::Usage(message) => (message.clone(), 2),
            Self::Failed(error) => (error.to_string(), 1),
        };
        if json {
            eprintln!("{}", json!({"error": message}));
        } else {
            eprintln!("error: {message}");
        }
        ExitCode::from(code)
    }
}
