//! The one file that configures the forwarder.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use rollcall_formats::syslog::Rules;
use secrecy::SecretString;
use serde::Deserialize;

/// Where events come from and where they go; services/forwarder/README.md shows a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The VIP, as <https://192.0.2.10>.
    pub url: String,
    /// The source's key.
    pub key: SecretString,
    /// The VIP's CA, in PEM; none for one that this host trusts already.
    pub ca: Option<String>,
    /// A folder of the forwarder's own.
    pub spool: PathBuf,
    /// Events that the spool holds before the forwarder reads no more.
    #[serde(default = "spool_events")]
    pub spool_events: u64,
    /// The file to follow; none for standard input.
    pub file: Option<PathBuf>,
    /// What its lines are.
    pub format: Format,
    /// Rules of your own, tried before the shipped ones; for `format = "log"`.
    pub rules: Option<PathBuf>,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// An event as JSON.
    Ndjson,
    /// A line of a log, of which rules make events.
    Log,
}

fn spool_events() -> u64 {
    5_000_000
}

/// Why the forwarder cannot start.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadConfig(String);

impl Config {
    /// Reads the file, which holds a key and so must be readable by its owner alone.
    ///
    /// # Errors
    /// It cannot be read, others can read it, or something in it is wrong; the text says what.
    pub fn read(path: &Path) -> Result<Self, BadConfig> {
        let bad = |error: &dyn std::fmt::Display| BadConfig(format!("{}: {error}", path.display()));
        let mode = fs::metadata(path)
            .map_err(|error| bad(&error))?
            .permissions()
            .mode()
            & 0o777;
        if mode & 0o077 != 0 {
            return Err(bad(&format!(
                "has mode {mode:o}, and holds a key: chmod 600"
            )));
        }
        toml::from_str(&fs::read_to_string(path).map_err(|error| bad(&error))?)
            .map_err(|error| bad(&error))
    }

    /// The rules for `format = "log"`.
    ///
    /// # Errors
    /// The file cannot be read, or a rule is bad.
    pub fn rules(&self) -> Result<Rules, BadConfig> {
        let Some(path) = &self.rules else {
            return Ok(Rules::shipped());
        };
        let bad = |error: &dyn std::fmt::Display| BadConfig(format!("{}: {error}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| bad(&error))?;
        Ok(Rules::parse(&text)
            .map_err(|error| bad(&error))?
            .then(Rules::shipped()))
    }
}
