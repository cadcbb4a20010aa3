//! Fields of events that rules fill.

use std::net::{IpAddr, SocketAddr};

use rollcall_attendance::{
    event::{RawEvent, TEXT_BYTES},
    user_form::{UserForm, split},
};

use super::{duration::whole, file::BadKey, template::Template, values::Values};
use crate::syslog::{Context, stamp};

/// Fields that a rule may fill.
const NAMES: [&str; 14] = [
    "user",
    "realm",
    "session_id",
    "event_id",
    "wan_ip",
    "client_ip",
    "mac",
    "device",
    "display_name",
    "reason",
    "active_seconds",
    "duration_seconds",
    "next_in_seconds",
    "last_activity_at",
];

/// Templates of the fields of an event.
#[derive(Debug, Clone)]
pub(super) struct EventFields {
    templates: Vec<(&'static str, Template)>,
    user_forms: Vec<UserForm>,
}

impl EventFields {
    /// Creates the templates: the entries of the table `event`, and `captures` that have the name
    /// of a field.
    pub(super) fn new<'a>(
        entries: impl IntoIterator<Item = (&'a String, &'a String)>,
        captures: &[&str],
        user_forms: Vec<UserForm>,
    ) -> Result<Self, BadKey> {
        let mut templates = Vec::new();
        for (name, text) in entries {
            let known = NAMES
                .iter()
                .find(|known| **known == name.as_str())
                .ok_or_else(|| {
                    let names = NAMES.join(", ");
                    BadKey::new(
                        "event",
                        format!("the field must be one of {names} (got {name:?})"),
                    )
                })?;
            let template = Template::parse(text);
            let bad = |reason| BadKey::new("event", format!("{name} {reason}"));
            templates.push((*known, template.map_err(bad)?));
        }
        for name in NAMES {
            if captures.contains(&name) && templates.iter().all(|(field, _)| *field != name) {
                templates.push((name, Template::field(name)));
            }
        }
        Ok(Self {
            templates,
            user_forms,
        })
    }

    /// Returns true if the rule fills a field.
    pub(super) fn has(&self, name: &str) -> bool {
        self.templates.iter().any(|(field, _)| *field == name)
    }

    pub(super) fn templates(&self) -> impl Iterator<Item = &Template> {
        self.templates.iter().map(|(_, template)| template)
    }

    /// Returns a raw event with the fields that have a value. An invalid value of an optional field
    /// is omitted, so that the event is kept.
    pub(super) fn fill(&self, values: &Values, context: &Context) -> RawEvent {
        let filled = self.templates.iter().filter_map(|(name, template)| {
            let text = template.fill(values)?;
            Some((*name, cleaned(name, text, context)?))
        });
        let fields: Vec<(&str, String)> = filled.collect();
        let fields = fields.iter().map(|(name, text)| (*name, text.as_str()));
        let mut raw = RawEvent::from_texts(fields).unwrap_or_default();
        let user = raw.user.take();
        match user
            .as_deref()
            .and_then(|user| split(&self.user_forms, user))
        {
            Some(parts) => {
                raw.user = Some(parts.user.to_owned());
                raw.realm = raw.realm.or(parts.realm.map(ToOwned::to_owned));
                let display_name = parts.display_name.map(shortened);
                raw.display_name = raw.display_name.or(display_name);
            }
            None => raw.user = user,
        }
        raw
    }
}

/// Returns the value in the form that the field needs, or `None` if the value is invalid.
fn cleaned(name: &str, text: String, context: &Context) -> Option<String> {
    match name {
        "wan_ip" | "client_ip" => address(&text).map(|address| address.to_string()),
        "active_seconds" => whole(&text).map(|seconds| seconds.to_string()),
        // Gateways write 0 where they do not know a duration, and where no report is due.
        "duration_seconds" | "next_in_seconds" => whole(&text)
            .filter(|seconds| *seconds > 0)
            .map(|seconds| seconds.to_string()),
        "last_activity_at" => {
            stamp::read(&text, &context.zone, context.received_at).map(|stamp| stamp.at.to_string())
        }
        "reason" | "display_name" | "device" | "mac" => Some(shortened(&text)),
        _ => Some(text),
    }
}

/// Parses an address. A port and a prefix length are omitted.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.split_once('/').map_or(text, |(address, _)| address);
    let address = text.parse().ok();
    address.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
}

/// Returns a text without control characters that is short enough for an event.
fn shortened(text: &str) -> String {
    let text = text.replace(char::is_control, " ");
    text[..text.floor_char_boundary(TEXT_BYTES)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_and_prefix_length_of_an_address_are_omitted() {
        for (text, expected) in [
            ("203.0.113.5", Some("203.0.113.5")),
            ("203.0.113.5:443", Some("203.0.113.5")),
            ("2001:db8::5", Some("2001:db8::5")),
            ("[2001:db8::5]:443", Some("2001:db8::5")),
            ("10.8.0.2/24", Some("10.8.0.2")),
            ("N/A", None),
        ] {
            let address = address(text).map(|address| address.to_string());
            assert_eq!(address.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn long_text_is_shortened_at_a_character() {
        assert_eq!(shortened(&"é".repeat(200)).len(), TEXT_BYTES);
        assert_eq!(shortened("a\tb"), "a b");
    }
}
