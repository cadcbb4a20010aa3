//! Typed settings: the defaults of `defaults.toml`, overridden by the environment, validated at
//! start.
#![allow(
    missing_docs,
    reason = "fields are documented where they are set, in defaults.toml"
)]

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use jiff::{SignedDuration, Timestamp, civil::Time, tz::TimeZone};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::Error as _};

const DEFAULTS: &str = include_str!("defaults.toml");

/// All settings. `defaults.toml` describes each of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub server: Server,
    pub database: Database,
    pub redis: Redis,
    pub token: Token,
    pub auth: Auth,
    pub ingestion: Ingestion,
    pub receiver: Receiver,
    pub reporting: Reporting,
    pub console: Console,
    pub retention: Retention,
    pub telemetry: Telemetry,
}

/// Addresses of a service, and limits of requests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    #[serde(deserialize_with = "address_or_empty")]
    pub address: Option<SocketAddr>,
    pub socket_directory: PathBuf,
    pub internal_address: SocketAddr,
    pub workers: usize,
    pub drain_milliseconds: u64,
    pub shutdown_seconds: u64,
    pub body_bytes: usize,
}

/// Connection to PostgreSQL as one role.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub host: String,
    pub port: u16,
    pub name: String,
    pub user: String,
    pub password_file: PathBuf,
    pub connections: usize,
    pub wait_milliseconds: u64,
}

/// Connection to Redis, which holds the token allow-list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password_file: PathBuf,
    pub wait_milliseconds: u64,
}

/// Claims of tokens, and where the keys to verify them are published.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    pub issuer: String,
    pub audience: String,
    pub lifetime_seconds: u32,
    pub jwks_url: String,
    pub jwks_socket_directory: PathBuf,
}

/// Signing keys and sign-ins.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    pub key_directory: PathBuf,
    pub key_bits: u32,
    pub key_publish_seconds: u32,
    pub max_hashes: usize,
    pub hash_queue: usize,
    pub failure_milliseconds: u32,
    pub max_pending_per_address: usize,
    pub max_failures_per_second: u32,
    #[serde(deserialize_with = "remember_seconds")]
    pub remember_seconds: u64,
}

/// The receivers and the recorder behind them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ingestion {
    pub queue_events: usize,
    pub batch_events: usize,
    pub writers: usize,
    pub tls_certificate: PathBuf,
    pub tls_private_key: PathBuf,
    pub syslog_data_id: String,
    pub rules_directory: PathBuf,
    pub body_budget_bytes: usize,
    pub request_seconds: u64,
    pub earliest: Timestamp,
    pub ahead_seconds: u32,
    pub skew_seconds: u32,
    pub gap_seconds: u32,
}

/// The datagram receiver.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receiver {
    pub radius_address: SocketAddr,
    pub syslog_address: SocketAddr,
    pub socket_directory: PathBuf,
    pub datagrams_per_second: u32,
    pub burst_datagrams: u32,
    pub queue_bytes: usize,
}

/// Days for which data is kept. 0 keeps data without limit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    #[serde(deserialize_with = "retention_days")]
    pub events_days: u32,
    #[serde(deserialize_with = "retention_days")]
    pub sessions_days: u32,
    #[serde(deserialize_with = "retention_days")]
    pub audit_days: u32,
}

/// Reports.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reporting {
    #[serde(deserialize_with = "zone")]
    pub time_zone: TimeZone,
    #[serde(deserialize_with = "time_of_day")]
    pub start_of_day: Time,
    pub period_days: i64,
    pub stale_hours: u32,
    pub database_enabled: bool,
    pub streams_per_client: NonZeroU32,
    pub streams: NonZeroU32,
    pub stream_wait_seconds: u32,
    pub stream_seconds: u32,
    pub stream_bytes_per_second: NonZeroU32,
    pub stream_behind_seconds: u32,
    pub requests_per_second: NonZeroU32,
    pub requests_burst: NonZeroU32,
    pub scratch_directory: PathBuf,
    pub scratch_bytes: u64,
}

impl Reporting {
    /// Returns the time before which the last activity of a session closes it by timeout.
    #[must_use]
    pub fn timeout_before(&self, now: Timestamp) -> Timestamp {
        now - self.session_timeout()
    }

    /// Returns the silence after which a session is closed by timeout.
    #[must_use]
    pub fn session_timeout(&self) -> SignedDuration {
        SignedDuration::from_hours(self.stale_hours.into())
    }
}

/// The pages for HR and the operator.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Console {
    pub certificate_directory: PathBuf,
}

/// Logs and the export of telemetry.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    pub log: String,
    pub otlp_endpoint: String,
}

impl Settings {
    /// Reads the defaults and the environment variables that override them.
    ///
    /// # Errors
    /// Names the variable that is unknown or has an invalid value.
    pub fn load() -> Result<Self, config::ConfigError> {
        Self::from(config::Environment::with_prefix("ROLLCALL"))
    }

    fn from(environment: config::Environment) -> Result<Self, config::ConfigError> {
        config::Config::builder()
            .add_source(config::File::from_str(DEFAULTS, config::FileFormat::Toml))
            .add_source(
                environment
                    .prefix_separator("_")
                    .separator("__")
                    .try_parsing(true),
            )
            .build()?
            .try_deserialize()
            .map_err(name_line)
    }
}

/// Adds the line of .env that must be corrected. In a section with an unknown setting, the error
/// has only the name of the section.
fn name_line(error: config::ConfigError) -> config::ConfigError {
    use config::ConfigError::{At, Message, Type};

    let (At { key: Some(key), .. } | Type { key: Some(key), .. }) = &error else {
        return error;
    };
    let mut name = key.to_uppercase().replace('.', "__");
    if !key.contains('.') {
        name += "__…";
    }
    Message(format!(
        "{error}. Correct the line ROLLCALL_{name} in .env."
    ))
}

impl Redis {
    /// Returns the maximum wait for a response.
    #[must_use]
    pub fn wait(&self) -> Duration {
        Duration::from_millis(self.wait_milliseconds)
    }
}

/// Reads a secret from its file. The line end at the end of the file is removed.
///
/// # Errors
/// The file cannot be read. The message names the file.
pub fn read_secret(path: &std::path::Path) -> std::io::Result<SecretString> {
    std::fs::read_to_string(path)
        .map(|text| SecretString::from(text.trim_end_matches('\n')))
        .map_err(|error| {
            std::io::Error::new(
                error.kind(),
                format!("cannot read the secret {}: {error}", path.display()),
            )
        })
}

fn address_or_empty<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SocketAddr>, D::Error> {
    let address = String::deserialize(deserializer)?;
    if address.is_empty() {
        return Ok(None);
    }
    address.parse().map(Some).map_err(|_| {
        D::Error::custom(format!(
            "must be an address with a port, such as 127.0.0.1:8080, or empty (got {address:?})"
        ))
    })
}

fn time_of_day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parsed = text.parse::<Time>().ok();
    parsed
        .filter(|time| time.subsec_nanosecond() == 0)
        .ok_or_else(|| {
            D::Error::custom(format!(
                "must be a time of day from 00:00:00 to 23:59:59 (got {text:?})"
            ))
        })
}

fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TimeZone, D::Error> {
    let name = String::deserialize(deserializer)?;
    TimeZone::get(&name).map_err(|_| {
        D::Error::custom(format!(
            "must be an IANA time zone, such as Asia/Kolkata (got {name:?})"
        ))
    })
}

/// Limits the time for which a password is remembered to five minutes.
fn remember_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    match u64::deserialize(deserializer)? {
        seconds @ 0..=300 => Ok(seconds),
        seconds => Err(D::Error::custom(format!(
            "must be 0 to 300 seconds (got {seconds})"
        ))),
    }
}

/// Rejects short retention periods. The database deletes nothing younger either.
fn retention_days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        days @ 1..32 => Err(D::Error::custom(format!(
            "must be 0 or at least 32 days (got {days})"
        ))),
        days => Ok(days),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(variables: &[(&str, &str)]) -> Result<Settings, String> {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Settings::from(config::Environment::with_prefix("ROLLCALL").source(Some(variables)))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn environment_variable_overrides_the_default() {
        let settings = load(&[
            ("ROLLCALL_REPORTING__TIME_ZONE", "Asia/Kolkata"),
            ("ROLLCALL_DATABASE__PORT", "6543"),
        ])
        .expect("settings");
        assert_eq!(
            settings.reporting.time_zone.iana_name(),
            Some("Asia/Kolkata")
        );
        assert_eq!(settings.database.port, 6543);
        assert_eq!(settings.token.lifetime_seconds, 120);
        assert_eq!(settings.server.address, None);
    }

    #[test]
    fn invalid_setting_returns_an_error_that_names_its_key() {
        for (name, value, key) in [
            ("ROLLCALL_DATABASE__PORT", "many", "database.port"),
            ("ROLLCALL_SERVER__ADDRESS", "here", "server.address"),
            (
                "ROLLCALL_REPORTING__TIME_ZONE",
                "Mars/Olympus",
                "reporting.time_zone",
            ),
            ("ROLLCALL_REPORTING__TIMEZONE", "UTC", "timezone"),
            (
                "ROLLCALL_AUTH__REMEMBER_SECONDS",
                "301",
                "auth.remember_seconds",
            ),
            (
                "ROLLCALL_RETENTION__EVENTS_DAYS",
                "7",
                "retention.events_days",
            ),
        ] {
            let error = load(&[(name, value)]).expect_err("an error");
            assert!(error.contains(key), "{error}");
            let line = name.replace("TIMEZONE", "…");
            assert!(
                error.contains(&format!("the line {line} in .env")),
                "{error}"
            );
        }
    }
}
