//! Adds sources, and sets their source networks.

use std::net::IpAddr;

use diesel_async::AsyncConnection;
use ipnet::IpNet;
use rollcall_credentials::source_keys;
use rollcall_store::{
    Pool,
    sources::{self, Change, New},
};
use serde_json::json;

use super::{secrets::credentials, unknown};
use crate::{
    change, confirm::confirm, failure::CommandError, generate, names, note, output::Output,
};

pub async fn add(
    pool: &Pool,
    name: &str,
    networks: &[String],
    radius: bool,
    settings: &Change,
) -> Result<Output, CommandError> {
    names::check(name, "-_.")?;
    if radius && networks.is_empty() {
        return Err(CommandError::Usage(
            "--radius requires --network with an address of the gateway, because RADIUS sources \
             are recognized by their address."
                .into(),
        ));
    }
    let key = generate::source_key();
    let secret = radius.then(generate::radius_secret);
    let source = New {
        name,
        key_hash: &source_keys::hash(&key),
        radius_secret: secret.as_deref(),
    };
    let added = pool.ask(async |connection| {
        connection
            .transaction(async |connection| {
                let added = sources::add(connection, &source).await?;
                if added {
                    sources::set_networks(connection, name, networks).await?;
                }
                if added && *settings != Change::default() {
                    sources::set(connection, name, settings).await?;
                }
                note(connection, "source.add", name, added).await
            })
            .await
    });
    added.await.map_err(taken)?.then_some(()).ok_or_else(|| {
        format!(
            "A source named {name} already exists. Choose another name, or give it a new key with \
             scripts/rollcall source rotate-key {name}."
        )
    })?;
    Ok(credentials(name, &key, secret.as_deref()))
}

pub async fn set_networks(
    pool: &Pool,
    name: &str,
    networks: &[String],
    yes: bool,
) -> Result<Output, CommandError> {
    let removed = removed_networks(pool, name, networks).await?;
    if !removed.is_empty() {
        let removed = removed.join(" or ");
        let consequence = format!(
            "Within 5 seconds the source {name} can no longer send syslog and RADIUS from \
             {removed}."
        );
        confirm(&consequence, yes)?;
    }
    let known = change(pool, "source.set-networks", name, async |connection| {
        sources::set_networks(connection, name, networks).await
    });
    let known = known.await.map_err(taken)?;
    known.then_some(()).ok_or_else(|| unknown(name))?;
    let note = if networks.is_empty() {
        "The source has no source networks. It cannot send syslog or RADIUS."
    } else {
        "Source networks updated. The change takes effect within 5 seconds."
    };
    Ok(Output::one(
        json!({"name": name, "networks": networks}),
        note,
    ))
}

/// Returns the present networks of a source that the new ones do not contain.
async fn removed_networks(
    pool: &Pool,
    name: &str,
    networks: &[String],
) -> Result<Vec<String>, CommandError> {
    let sources = pool.ask(async |connection| sources::list(connection).await);
    let source = sources
        .await?
        .into_iter()
        .find(|source| source.name == name);
    let mut present = source.ok_or_else(|| unknown(name))?.networks;
    let parse = |text: &String| text.parse::<IpNet>().ok();
    let new: Vec<IpNet> = networks.iter().filter_map(parse).collect();
    present.retain(|text| parse(text).is_some_and(|old| !new.iter().any(|new| new.contains(&old))));
    Ok(present)
}

/// Parses an address or network. Rejects an address with a prefix length, because PostgreSQL would
/// store the whole network.
pub fn network(text: &str) -> Result<String, String> {
    let parsed = text
        .parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let network =
        parsed.map_err(|_| "must be an address or a network, such as 192.0.2.7 or 192.0.2.0/28")?;
    if network.trunc() == network {
        return Ok(network.to_string());
    }
    Err(format!(
        "must be {} for the network, or {} for the address alone",
        network.trunc(),
        network.addr()
    ))
}

/// Explains that a network can belong to only one source.
fn taken(error: rollcall_store::Error) -> CommandError {
    if let rollcall_store::Error::Failed(cause) = &error
        && cause.to_string().contains("source_networks")
    {
        return "A network already belongs to another source. List the networks with \
                scripts/rollcall source list."
            .into();
    }
    error.into()
}
