//! `rollcall source …`

use std::net::IpAddr;

use clap::Subcommand;
use diesel_async::AsyncConnection;
use ipnet::IpNet;
use rollcall_ingestion::source_key::key_hash;
use rollcall_platform::{clock::Clock, command::Failure, settings};
use rollcall_store::{
    Pool,
    sources::{self, New},
};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{generate, note, output::Output, replay, try_rule};

#[derive(Subcommand)]
pub enum Task {
    /// Add a source with a generated key, which is shown only once.
    Add {
        /// Name of the source: 1 to 64 letters, digits, '-', '_' or '.'.
        name: String,
        /// Address or network from which the source sends syslog or RADIUS, such as 192.0.2.7 or
        /// 192.0.2.0/28; may be repeated.
        #[arg(long = "network", alias = "sender", value_parser = network)]
        networks: Vec<String>,
        /// Also generate a RADIUS shared secret, which is shown only once.
        #[arg(long)]
        radius: bool,
    },
    /// List the sources with their number of events, last event, completeness, gaps, and number of
    /// events that are set aside.
    List,
    /// Replace the source networks, from which a source sends syslog and RADIUS.
    #[command(alias = "set-senders")]
    SetNetworks {
        /// Its name.
        name: String,
        /// Addresses or networks. Without any, the source can send neither syslog nor RADIUS.
        #[arg(value_parser = network)]
        networks: Vec<String>,
    },
    /// Give a source a new RADIUS shared secret, which is shown only once.
    RotateRadiusSecret {
        /// Its name.
        name: String,
    },
    /// Set whether each RADIUS packet of a source must have a Message-Authenticator (RFC 2869).
    RequireMessageAuthenticator {
        /// Name of the source.
        name: String,
        /// `on` drops and logs packets without a Message-Authenticator.
        state: Switch,
    },
    /// Set the client certificate that a source must present for syslog over TLS (RFC 5425). It is
    /// read as PEM from standard input.
    SetCertificate {
        /// Name of the source.
        name: String,
        /// Remove the requirement. Syslog over UDP and plain TCP is accepted again.
        #[arg(long)]
        none: bool,
    },
    /// Show the events that the rules find in a log file, which is read from standard input. Its
    /// lines are RFC 5424 messages, or log lines with RFC 3339 times.
    TryRule,
    /// Reset `complete_through` of a source that reported a wrong time. The next event of the
    /// source with a `complete_through` sets it again.
    ResetCompleteThrough {
        /// Its name.
        name: String,
    },
    /// Record the events of a source that were set aside, with their original times of arrival.
    /// Events that the database refuses again remain set aside.
    Replay {
        /// Its name.
        name: String,
    },
    /// Disable a source. This takes effect within 5 seconds. Its recorded events are kept.
    Disable {
        /// Its name.
        name: String,
    },
    /// Enable a source and give it a new key, which is shown only once.
    RotateKey {
        /// Its name.
        name: String,
    },
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub enum Switch {
    On,
    Off,
}

#[derive(Serialize)]
struct Credentials<'a> {
    name: &'a str,
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    radius_secret: Option<&'a str>,
}

const ONCE: &str = "The key is shown only once.";

pub async fn run(
    pool: &Pool,
    task: Task,
    settings: &settings::Ingestion,
) -> Result<Output, Failure> {
    match task {
        Task::Add {
            name,
            networks,
            radius,
        } => add(pool, &name, &networks, radius).await,
        Task::TryRule => {
            let rules = rollcall_ingestion::startup::rules(&settings.rules_directory)?;
            try_rule::run(&rules, &settings.syslog_data_id, std::io::stdin().lock())
        }
        Task::SetNetworks { name, networks } => {
            let known = pool.ask(async |connection| {
                let known = sources::set_networks(connection, &name, &networks).await?;
                note(connection, "source.set-networks", &name, known).await
            });
            known
                .await
                .map_err(taken)?
                .then_some(())
                .ok_or_else(|| unknown(&name))?;
            Ok(Output::one(
                json!({"name": name, "networks": networks}),
                "Source networks updated. The change takes effect within 5 seconds.",
            ))
        }
        Task::RotateRadiusSecret { name } => {
            let secret = generate::radius_secret();
            let known = pool.ask(async |connection| {
                let known = sources::set_radius_secret(connection, &name, &secret).await?;
                note(connection, "source.rotate-radius-secret", &name, known).await
            });
            known.await?.then_some(()).ok_or_else(|| unknown(&name))?;
            Ok(Output::one(
                json!({"name": name, "radius_secret": secret}),
                "The secret is shown only once. The change takes effect within 5 seconds.",
            ))
        }
        Task::RequireMessageAuthenticator { name, state } => {
            require_message_authenticator(pool, &name, matches!(state, Switch::On)).await
        }
        Task::SetCertificate { name, none } => {
            let certificate = if none {
                None
            } else {
                Some(std::io::read_to_string(std::io::stdin().lock())?)
            };
            set_certificate(pool, &name, certificate.as_deref()).await
        }
        Task::List => list(pool).await,
        Task::ResetCompleteThrough { name } => {
            let known = pool.ask(async |connection| {
                let known = sources::reset_complete_through(connection, &name).await?;
                note(connection, "source.reset-complete-through", &name, known).await
            });
            known.await?.then_some(()).ok_or_else(|| unknown(&name))?;
            Ok(Output::one(
                json!({"name": name}),
                "complete_through is reset until the source reports it again.",
            ))
        }
        Task::Replay { name } => replay::run(pool, &name).await,
        Task::Disable { name } => {
            let now = Clock::System.now();
            let known = pool.ask(async |connection| {
                let known = sources::disable(connection, &name, now).await?;
                note(connection, "source.disable", &name, known).await
            });
            known.await?.then_some(()).ok_or_else(|| unknown(&name))?;
            Ok(Output::one(
                json!({"name": name}),
                "The source is disabled within 5 seconds. Its recorded events are kept.",
            ))
        }
        Task::RotateKey { name } => {
            let key = generate::source_key();
            let known = pool.ask(async |connection| {
                let known = sources::rotate_key(connection, &name, &key_hash(&key)).await?;
                note(connection, "source.rotate-key", &name, known).await
            });
            known.await?.then_some(()).ok_or_else(|| unknown(&name))?;
            Ok(Output::one(
                Credentials {
                    name: &name,
                    key: &key,
                    radius_secret: None,
                },
                ONCE,
            ))
        }
    }
}

async fn list(pool: &Pool) -> Result<Output, Failure> {
    let sources = pool
        .ask(async |connection| sources::list(connection).await)
        .await?;
    Ok(Output::many(
        &sources,
        "There is no source. Add one with: scripts/rollcall source add NAME",
    ))
}

async fn add(
    pool: &Pool,
    name: &str,
    networks: &[String],
    radius: bool,
) -> Result<Output, Failure> {
    let good = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if !good {
        return Err(
            format!("NAME: got {name:?}, takes 1 to 64 letters, digits, '-', '_' or '.'").into(),
        );
    }
    let key = generate::source_key();
    let secret = radius.then(generate::radius_secret);
    let source = New {
        name,
        key_hash: &key_hash(&key),
        radius_secret: secret.as_deref(),
    };
    let added = pool.ask(async |connection| {
        connection
            .transaction(async |connection| {
                let added = sources::add(connection, &source).await?;
                if added {
                    sources::set_networks(connection, name, networks).await?;
                }
                note(connection, "source.add", name, added).await
            })
            .await
    });
    added
        .await
        .map_err(taken)?
        .then_some(())
        .ok_or_else(|| format!("a source named {name} already exists"))?;
    Ok(Output::one(
        Credentials {
            name,
            key: &key,
            radius_secret: secret.as_deref(),
        },
        ONCE,
    ))
}

async fn require_message_authenticator(
    pool: &Pool,
    name: &str,
    required: bool,
) -> Result<Output, Failure> {
    let known = pool.ask(async |connection| {
        let known = sources::require_message_authenticator(connection, name, required).await?;
        note(
            connection,
            "source.require-message-authenticator",
            name,
            known,
        )
        .await
    });
    known.await?.then_some(()).ok_or_else(|| unknown(name))?;
    Ok(Output::one(
        json!({"name": name, "require_message_authenticator": required}),
        "The change takes effect within 5 seconds.",
    ))
}

/// `certificate` is PEM; `None` removes the requirement.
async fn set_certificate(
    pool: &Pool,
    name: &str,
    certificate: Option<&str>,
) -> Result<Output, Failure> {
    let fingerprint = certificate.map(fingerprint).transpose()?;
    let known = pool.ask(async |connection| {
        let known =
            sources::set_client_certificate(connection, name, fingerprint.as_deref()).await?;
        note(connection, "source.set-certificate", name, known).await
    });
    known.await?.then_some(()).ok_or_else(|| unknown(name))?;
    Ok(Output::one(
        json!({"name": name, "client_certificate": fingerprint.map(hex::encode)}),
        "The change takes effect within 5 seconds, for new connections.",
    ))
}

/// Returns the SHA-256 fingerprint of the first certificate of a PEM file.
fn fingerprint(text: &str) -> Result<Vec<u8>, Failure> {
    let blocks = pem::parse_many(text)
        .map_err(|error| format!("the certificate must be a PEM file: {error}"))?;
    let certificate = blocks
        .iter()
        .find(|block| block.tag() == "CERTIFICATE")
        .ok_or("the file has no certificate: it must have a PEM block BEGIN CERTIFICATE")?;
    Ok(Sha256::digest(certificate.contents()).to_vec())
}

/// Parses an address or network. Returns it as PostgreSQL stores it, with the host bits cleared.
fn network(text: &str) -> Result<String, String> {
    let parsed = text
        .parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    parsed
        .map(|network| network.trunc().to_string())
        .map_err(|_| "takes an address or a network, as 192.0.2.0/28".into())
}

/// A network belongs to one source.
fn taken(error: rollcall_store::Error) -> Failure {
    if matches!(&error, rollcall_store::Error::Failed(error) if error.to_string().contains("source_networks"))
    {
        return "a network already belongs to another source: see scripts/rollcall source list"
            .into();
    }
    error.into()
}

pub fn unknown(name: &str) -> Failure {
    format!("there is no source named {name}: see scripts/rollcall source list").into()
}
