//! Rules, which turn records of logs into events. README.md of this crate explains the language.

mod cells;
mod condition;
mod duration;
mod event;
mod file;
mod input;
mod json_path;
mod key_value;
mod rule;
mod template;
mod time;
mod values;

use std::{path::PathBuf, sync::LazyLock};

use rollcall_attendance::event::FieldError;

pub use file::BadRules;

use self::{input::Bodies, rule::Rule};
use crate::{
    record::Record,
    syslog::{Context, Found},
};

/// The rule sets that Rollcall ships. Each is a file in `rules/sets`.
const SETS: [(&str, &str); 20] = [
    (
        "aws-client-vpn",
        include_str!("rules/sets/aws-client-vpn.toml"),
    ),
    ("checkpoint", include_str!("rules/sets/checkpoint.toml")),
    ("cisco-asa", include_str!("rules/sets/cisco-asa.toml")),
    ("f5-apm", include_str!("rules/sets/f5-apm.toml")),
    ("fortigate", include_str!("rules/sets/fortigate.toml")),
    (
        "globalprotect",
        include_str!("rules/sets/globalprotect.toml"),
    ),
    ("guacamole", include_str!("rules/sets/guacamole.toml")),
    ("ivanti", include_str!("rules/sets/ivanti.toml")),
    ("keycloak", include_str!("rules/sets/keycloak.toml")),
    ("netscaler", include_str!("rules/sets/netscaler.toml")),
    ("openvpn", include_str!("rules/sets/openvpn.toml")),
    ("pfsense", include_str!("rules/sets/pfsense.toml")),
    ("rras", include_str!("rules/sets/rras.toml")),
    ("sonicwall", include_str!("rules/sets/sonicwall.toml")),
    ("sophos", include_str!("rules/sets/sophos.toml")),
    ("sshd", include_str!("rules/sets/sshd.toml")),
    ("strongswan", include_str!("rules/sets/strongswan.toml")),
    ("teleport", include_str!("rules/sets/teleport.toml")),
    ("windows", include_str!("rules/sets/windows.toml")),
    ("zscaler-zpa", include_str!("rules/sets/zscaler-zpa.toml")),
];

static SHIPPED: LazyLock<Rules> = LazyLock::new(|| {
    let sets = SETS.iter().flat_map(|(name, text)| {
        let rules = file::parse(text);
        rules.unwrap_or_else(|error| panic!("the shipped rule set {name} is valid: {error}"))
    });
    Rules(sets.collect())
});

/// The rules, in order: the first that takes a record decides.
#[derive(Debug, Clone, Default)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Returns the rules that Rollcall ships.
    #[must_use]
    pub fn shipped() -> Self {
        SHIPPED.clone()
    }

    /// Parses a file of rules.
    ///
    /// # Errors
    /// The file is not valid TOML or contains an invalid rule.
    pub fn parse(text: &str) -> Result<Self, BadRules> {
        file::parse(text).map(Self)
    }

    /// Combines the rules of the operator's files, given by path and text, with the shipped rules,
    /// which come last.
    ///
    /// # Errors
    /// A file is not valid TOML or contains an invalid rule. The error names the file.
    pub fn with_files(files: &[(PathBuf, String)]) -> Result<Self, BadRules> {
        let mut rules = Self::default();
        for (path, text) in files {
            let own = Self::parse(text).map_err(|error| error.in_file(path))?;
            rules.0.extend(own.0);
        }
        rules.0.extend(Self::shipped().0);
        Ok(rules)
    }

    /// Applies the first rule that takes a record.
    ///
    /// # Errors
    /// The rule takes the record, but finds no time or no correlation key in it.
    pub fn apply(&self, record: &Record, context: &Context) -> Result<Found, FieldError> {
        let mut bodies = Bodies::new(record.text);
        for rule in &self.0 {
            if let Some(found) = rule.apply(record, &mut bodies, context)? {
                return Ok(found);
            }
        }
        Ok(Found::Unmatched)
    }
}

#[cfg(test)]
mod tests;
