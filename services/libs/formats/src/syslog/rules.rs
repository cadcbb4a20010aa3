//! Rules, which turn texts of programs into events.

use std::{iter, path::PathBuf};

use regex::Regex;
use rollcall_attendance::event::RawEvent;
use serde::Deserialize;

use super::{Line, Matched};
use crate::made_event_id;

const SHIPPED: &str = include_str!("rules.toml");

/// The rules, in order: the first that matches a line decides.
#[derive(Debug, Clone)]
pub struct Rules(Vec<Rule>);

/// Error in a rule file. The text names the rule.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadRules(String);

#[derive(Debug, Clone)]
struct Rule {
    name: String,
    app: Regex,
    pattern: Regex,
    kind: String,
    session: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<Entry>,
}

/// A rule as in `rules.toml`. README.md explains the fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    app: String,
    pattern: String,
    r#type: String,
    #[serde(default)]
    session: String,
}

impl Rules {
    /// The rules that Rollcall ships.
    #[must_use]
    #[allow(clippy::missing_panics_doc, reason = "a test reads them")]
    pub fn shipped() -> Self {
        Self::parse(SHIPPED).expect("the shipped rules are good")
    }

    /// Reads a file of rules.
    ///
    /// # Errors
    /// It is not TOML, or a rule in it is bad.
    pub fn parse(text: &str) -> Result<Self, BadRules> {
        let file: File = toml::from_str(text).map_err(|error| BadRules(error.to_string()))?;
        file.rule
            .into_iter()
            .map(Rule::new)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Combines the rules of the operator's files, given by path and text, with the shipped rules,
    /// which come last.
    ///
    /// # Errors
    /// A file is not valid TOML or contains an invalid rule. The error names the file.
    pub fn with_files(files: &[(PathBuf, String)]) -> Result<Self, BadRules> {
        let mut rules = Self(Vec::new());
        for (path, text) in files {
            let own = Self::parse(text);
            rules =
                rules.then(own.map_err(|error| BadRules(format!("{}: {error}", path.display())))?);
        }
        Ok(rules.then(Self::shipped()))
    }

    /// These, and after them `others`.
    #[must_use]
    pub fn then(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Applies the first rule that matches a line.
    #[must_use]
    pub fn apply(&self, line: &Line) -> Option<Matched> {
        self.0.iter().find_map(|rule| rule.apply(line))
    }
}

impl Rule {
    fn new(entry: Entry) -> Result<Self, BadRules> {
        let Entry {
            name,
            app,
            pattern,
            r#type: kind,
            session,
        } = entry;
        let bad = |what: &str, why: &dyn std::fmt::Display| {
            BadRules(format!("rule {name:?}: {what}: {why}"))
        };
        let app = Regex::new(&format!("^(?:{app})$")).map_err(|error| bad("app", &error))?;
        let pattern = Regex::new(&pattern).map_err(|error| bad("pattern", &error))?;
        if !["login", "active", "logout", "restart"].contains(&kind.as_str()) {
            return Err(bad(
                "type",
                &format!("must be one of login, active, logout, restart (got {kind:?})"),
            ));
        }
        if kind != "restart" && session.is_empty() {
            return Err(bad(
                "session",
                &"is missing; it must say what in the text identifies the session",
            ));
        }
        if kind != "restart"
            && !pattern
                .capture_names()
                .flatten()
                .any(|capture| capture == "user")
        {
            return Err(bad("pattern", &"has no capture (?<user>…)"));
        }
        Ok(Self {
            name,
            app,
            pattern,
            kind,
            session,
        })
    }

    fn apply(&self, line: &Line) -> Option<Matched> {
        if !self.app.is_match(line.app) {
            return None;
        }
        let captures = self.pattern.captures(line.text)?;
        let value = |name| captures.name(name).map_or("", |capture| capture.as_str());
        let names = self.pattern.capture_names().flatten();
        let fields: Vec<(&str, &str)> = names.map(|name| (name, value(name))).collect();
        let raw = RawEvent {
            event_id: Some(made_event_id("log", Some(line.second), &line.parts())),
            kind: Some(self.kind.clone()),
            occurred_at: Some(line.at.clone()),
            correlation_key: Some(self.correlation_key(line, &fields)),
            input_digest: Some(line.digest()),
            ..raw_event(&fields)?
        };
        Some(Matched {
            rule: self.name.clone(),
            raw,
        })
    }

    fn correlation_key(&self, line: &Line, fields: &[(&str, &str)]) -> String {
        let mut key = self
            .session
            .replace("{host}", line.host)
            .replace("{process}", &line.process);
        for (name, value) in fields {
            key = key.replace(&format!("{{{name}}}"), value);
        }
        key
    }
}

/// Returns the raw event of the captures. An invalid number is omitted, so that the event is kept.
fn raw_event(fields: &[(&str, &str)]) -> Option<RawEvent> {
    let fields = fields.iter().copied();
    let is_valid = |field: &(&str, &str)| RawEvent::from_texts(iter::once(*field)).is_ok();
    RawEvent::from_texts(fields.clone())
        .or_else(|_| RawEvent::from_texts(fields.filter(is_valid)))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched(app: &str, text: &str) -> String {
        let line = Line {
            at: "2025-01-01T10:00:00Z".into(),
            second: 1_735_725_600,
            host: "gw",
            app,
            process: "7".into(),
            text,
        };
        let Some(Matched { rule, raw }) = Rules::shipped().apply(&line) else {
            return "nothing".into();
        };
        let part = |text: Option<String>| text.unwrap_or_default();
        format!(
            "{rule}: {} {} {} {} {}",
            part(raw.kind),
            part(raw.correlation_key),
            part(raw.user),
            part(raw.wan_ip),
            part(raw.reason)
        )
        .trim_end()
        .to_owned()
    }

    #[test]
    fn openvpn() {
        assert_eq!(
            matched(
                "openvpn",
                "203.0.113.5:51234 [asha] Peer Connection Initiated with [AF_INET]203.0.113.5:51234"
            ),
            "openvpn-login: login openvpn/asha/203.0.113.5:51234 asha 203.0.113.5"
        );
        assert_eq!(
            matched(
                "ovpn-server",
                "asha/203.0.113.5:51234 SIGTERM[soft,remote-exit] received, client-instance exiting"
            ),
            "openvpn-logout: logout openvpn/asha/203.0.113.5:51234 asha 203.0.113.5 soft,remote-exit"
        );
        assert_eq!(
            matched(
                "openvpn",
                "asha/203.0.113.5:51234 SIGUSR1[soft,ping-restart] received, client-instance restarting"
            ),
            "openvpn-logout: logout openvpn/asha/203.0.113.5:51234 asha 203.0.113.5 soft,ping-restart"
        );
        assert_eq!(
            matched(
                "openvpn",
                "asha/203.0.113.5:51234 Data Channel: cipher 'AES-256-GCM', peer-id: 0"
            ),
            "openvpn-active: active openvpn/asha/203.0.113.5:51234 asha 203.0.113.5"
        );
        assert_eq!(
            matched(
                "openvpn",
                "2001:db8::5:51234 [asha] Peer Connection Initiated with [AF_INET6]2001:db8::5:51234"
            ),
            "openvpn-login: login openvpn/asha/2001:db8::5:51234 asha 2001:db8::5"
        );
        assert_eq!(
            matched("openvpn", "Initialization Sequence Completed"),
            "openvpn-restart: restart"
        );
        assert_eq!(
            matched("nginx", "Initialization Sequence Completed"),
            "nothing"
        );
    }

    #[test]
    fn strongswan() {
        assert_eq!(
            matched(
                "charon",
                "05[IKE] IKE_SA rw[3] established between 192.0.2.1[vpn.example.org]...203.0.113.5[carol@example.org]"
            ),
            "strongswan-login: login charon/7/rw[3] carol@example.org 203.0.113.5"
        );
        assert_eq!(
            matched(
                "charon-systemd",
                "deleting IKE_SA rw[3] between 192.0.2.1[vpn.example.org]...203.0.113.5[carol@example.org]"
            ),
            "strongswan-logout: logout charon/7/rw[3] carol@example.org 203.0.113.5"
        );
        assert_eq!(
            matched(
                "charon",
                "00[DMN] Starting IKE charon daemon (strongSwan 6.0.1, Linux)"
            ),
            "strongswan-restart: restart"
        );
    }

    #[test]
    fn sshd() {
        assert_eq!(
            matched(
                "sshd",
                "Accepted publickey for asha from 203.0.113.5 port 51234 ssh2: ED25519 SHA256:x"
            ),
            "sshd-login: login sshd/gw/7 asha 203.0.113.5"
        );
        assert_eq!(
            matched(
                "sshd-session",
                "pam_unix(sshd:session): session closed for user asha"
            ),
            "sshd-logout: logout sshd/gw/7 asha"
        );
        assert_eq!(
            matched(
                "sshd",
                "Failed password for asha from 203.0.113.5 port 51234 ssh2"
            ),
            "nothing"
        );
    }

    #[test]
    fn a_bad_rule_is_named() {
        let rule = |line: &str| {
            let text = format!("[[rule]]\nname = \"mine\"\napp = \"a\"\ntype = \"login\"\n{line}");
            Rules::parse(&text).expect_err("an error").to_string()
        };
        assert!(rule("pattern = '('\nsession = 's'").starts_with("rule \"mine\": pattern:"));
        assert!(rule("pattern = '(?<user>.)'").contains("session: is missing"));
        assert!(rule("pattern = 'x'\nsession = 's'").contains("(?<user>"));
        assert!(rule("pattern = 'x'\nsesion = 's'").contains("sesion"));
        assert!(Rules::parse("").expect("no rules").0.is_empty());
    }
}
