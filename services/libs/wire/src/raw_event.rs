//! The event of the ingestion API.

use serde::{
    Deserialize, Serialize,
    de::value::{self, MapDeserializer},
};
use utoipa::ToSchema;

use crate::{FieldError, json, texts::Text};

/// An event as a source reports it. Unknown fields are ignored. An empty text and null count as
/// absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct RawEvent {
    /// Unique within the source, at most 128 bytes.
    #[schema(required, nullable = false)]
    pub event_id: Option<String>,
    /// `login`, `active`, `logout` or `restart`.
    #[serde(rename = "type")]
    #[schema(required, nullable = false)]
    pub kind: Option<String>,
    /// Name of the session at the gateway, at most 256 bytes. Required unless the type is `restart`
    /// or `correlation_key` is present.
    pub session_id: Option<String>,
    /// Text that the events of a session have in common if the gateway gives no session ID, for
    /// example an address and a port, at most 256 bytes. A later session may have the same key.
    pub correlation_key: Option<String>,
    /// Name with which the person signed in, at most 256 bytes. Required in a login, and in all
    /// events with a session ID.
    pub user: Option<String>,
    /// Gateway domain of the user. `Default` if it is absent.
    pub realm: Option<String>,
    /// Time of the event, RFC 3339 with an offset.
    #[schema(required, nullable = false, format = DateTime)]
    pub occurred_at: Option<String>,
    /// Reason in the words of the gateway.
    pub reason: Option<String>,
    /// Name of the person.
    pub display_name: Option<String>,
    /// IP address that the gateway gave to the client.
    pub client_ip: Option<String>,
    /// IP address from which the client connected.
    pub wan_ip: Option<String>,
    /// Hardware address of the device.
    pub mac: Option<String>,
    /// Name of the device.
    pub device: Option<String>,
    /// Seconds of the session so far without idle time, from 0.
    #[schema(minimum = 0)]
    pub active_seconds: Option<i64>,
    /// Seconds of the session so far, from 0. In a logout they give the time of the login, unless
    /// the gateway reports the login itself.
    #[schema(minimum = 0)]
    pub duration_seconds: Option<i64>,
    /// Seconds until the next activity event of the session is due, from 0.
    #[schema(minimum = 0)]
    pub next_in_seconds: Option<i64>,
    /// Time of the latest activity, which the gateway states in a logout, RFC 3339 with an offset.
    /// This is evidence only: the session ends at the logout.
    #[schema(format = DateTime)]
    pub last_activity_at: Option<String>,
    /// Time up to which the source has sent all its events, RFC 3339 with an offset.
    #[schema(format = DateTime)]
    pub complete_through: Option<String>,
    /// RADIUS Class (RFC 2865, section 5.25). Not part of the API.
    #[serde(skip)]
    pub class: Option<String>,
    /// SHA-256 of the input that a rule made this event of. Not part of the API.
    #[serde(skip)]
    pub input_digest: Option<[u8; 32]>,
}

impl RawEvent {
    /// Creates a raw event from the names and values of its fields. All values are texts, as in
    /// structured data of syslog.
    ///
    /// # Errors
    /// A field occurs twice, or a number is invalid.
    pub fn from_texts<'a>(
        fields: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    ) -> Result<Self, FieldError> {
        let fields = fields.map(|(name, value)| (name, Text(value)));
        let deserializer = || MapDeserializer::<_, value::Error>::new(fields.clone());
        // Only invalid fields are tracked, as in `json::parse`.
        Self::deserialize(deserializer()).or_else(|_| json::tracked(deserializer()))
    }

    /// Writes the fields that are present, as JSON.
    #[must_use]
    #[allow(
        clippy::missing_panics_doc,
        reason = "all fields are texts and numbers, so that this cannot fail"
    )]
    pub fn to_json(&self) -> String {
        let mut fields = serde_json::to_value(self).expect("JSON of texts and numbers");
        if let Some(fields) = fields.as_object_mut() {
            fields.retain(|_, value| !value.is_null());
        }
        fields.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(fields: &[(&str, &str)]) -> String {
        let error = RawEvent::from_texts(fields.iter().copied()).expect_err("an error");
        error.to_string()
    }

    #[test]
    fn raw_event_of_texts_has_numbers_and_ignores_unknown_fields() {
        let fields = [("type", "login"), ("active_seconds", "7"), ("other", "x")];
        let raw = RawEvent::from_texts(fields.into_iter()).expect("a raw event");
        assert_eq!(raw.to_json(), r#"{"type":"login","active_seconds":7}"#);
    }

    #[test]
    fn raw_event_of_texts_rejects_repeated_field_and_invalid_number() {
        assert_eq!(
            error(&[("user", "a"), ("user", "b")]),
            "user must occur only once"
        );
        assert_eq!(
            error(&[("next_in_seconds", "soon")]),
            r#"next_in_seconds must be a whole number below 2^63 (got "soon")"#
        );
    }
}
