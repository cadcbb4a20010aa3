//! Configuration file of the forwarder.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use jiff::tz::TimeZone;
use rollcall_formats::rules::Rules;
use secrecy::SecretString;
use serde::Deserialize;

/// Contents of the configuration file. `services/forwarder/README.md` has an example.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// URL of the virtual IP (VIP), such as `https://192.0.2.10`.
    pub url: String,
    /// Source key.
    pub key: SecretString,
    /// CA certificate of the VIP in PEM. If absent, the CAs that this host trusts are used.
    pub ca: Option<String>,
    /// Directory of the spool. No other program may use it.
    pub spool: PathBuf,
    /// Maximum number of events in the spool. The forwarder stops reading while the spool is full.
    #[serde(default = "spool_events")]
    pub spool_events: u64,
    /// File to follow. If absent, standard input is read.
    pub file: Option<PathBuf>,
    /// Format of the lines.
    pub format: Format,
    /// File of additional rules for `format = "log"`. They are tried before the built-in rules.
    pub rules: Option<PathBuf>,
    /// Time zone of times without an offset, an IANA name. If absent, the zone of this host.
    pub time_zone: Option<String>,
}

/// Format of an input line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A line is an event as JSON.
    Ndjson,
    /// A line is a log message, from which the rules extract an event.
    Log,
}

fn spool_events() -> u64 {
    5_000_000
}

/// Error in the configuration, with the file name.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl Config {
    /// Reads the file. Because it contains the source key, only its owner may have access.
    ///
    /// # Errors
    /// The file cannot be read, other users have access to it, or its content is invalid.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let error_in_file =
            |error: &dyn std::fmt::Display| ConfigError(format!("{}: {error}", path.display()));
        let mode = fs::metadata(path)
            .map_err(|error| error_in_file(&error))?
            .permissions()
            .mode()
            & 0o777;
        if mode & 0o077 != 0 {
            return Err(error_in_file(&format!(
                "the mode must be 600, because the file contains a key (got {mode:o}): run chmod 600"
            )));
        }
        toml::from_str(&fs::read_to_string(path).map_err(|error| error_in_file(&error))?)
            .map_err(|error| error_in_file(&error))
    }

    /// Returns the rules for `format = "log"`.
    ///
    /// # Errors
    /// The file cannot be read, or a rule is invalid.
    pub fn rules(&self) -> Result<Rules, ConfigError> {
        let Some(path) = &self.rules else {
            return Ok(Rules::shipped());
        };
        let error_in_file =
            |error: &dyn std::fmt::Display| ConfigError(format!("{}: {error}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| error_in_file(&error))?;
        let files = [(path.clone(), text)];
        Rules::with_files(&files).map_err(|error| ConfigError(error.to_string()))
    }

    /// Returns the time zone of times without an offset.
    ///
    /// # Errors
    /// The name is no IANA time zone.
    pub fn zone(&self) -> Result<TimeZone, ConfigError> {
        let Some(name) = &self.time_zone else {
            return Ok(TimeZone::system());
        };
        TimeZone::get(name).map_err(|_| {
            let accepted = "an IANA name such as Asia/Kolkata";
            ConfigError(format!("time_zone must be {accepted} (got {name:?})"))
        })
    }
}
