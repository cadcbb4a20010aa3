//! One fact that a source reports, checked at the edge and known to be good from there on.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{shown::shown, time};

/// The longest `event_id`, in bytes.
pub const EVENT_ID_BYTES: usize = 128;
/// The longest session id, name or other text of an event, in bytes.
pub const TEXT_BYTES: usize = 256;

/// An event as a receiver received it: nothing checked yet. Times are RFC 3339.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawEvent {
    /// Unique within the source.
    pub event_id: Option<String>,
    /// `login`, `active`, `logout` or `restart`.
    pub kind: Option<String>,
    /// This login is no event of the gateway, but derived from the session's length at its end.
    pub derived: bool,
    /// The gateway's name of the session.
    pub session_id: Option<String>,
    /// As the person spelled it at the gateway.
    pub user: Option<String>,
    /// The gateway domain.
    pub realm: Option<String>,
    /// When it happened.
    pub occurred_at: Option<String>,
    /// Why, in the gateway's words.
    pub reason: Option<String>,
    /// The person's name.
    pub display_name: Option<String>,
    /// Address that the gateway gave to the client.
    pub client_ip: Option<String>,
    /// Address that the client came from.
    pub wan_ip: Option<String>,
    /// Hardware address of the device.
    pub mac: Option<String>,
    /// Name of the device.
    pub device: Option<String>,
    /// Length of the session so far, in seconds.
    pub active_seconds: Option<i64>,
    /// RADIUS Class.
    pub class: Option<String>,
    /// The source has sent everything up to here.
    pub complete_through: Option<String>,
}

impl RawEvent {
    /// The fields that are text, by their names in the event JSON.
    pub fn texts(&mut self) -> [(&'static str, &mut Option<String>); 13] {
        [
            ("event_id", &mut self.event_id),
            ("type", &mut self.kind),
            ("session_id", &mut self.session_id),
            ("user", &mut self.user),
            ("realm", &mut self.realm),
            ("occurred_at", &mut self.occurred_at),
            ("reason", &mut self.reason),
            ("display_name", &mut self.display_name),
            ("client_ip", &mut self.client_ip),
            ("wan_ip", &mut self.wan_ip),
            ("mac", &mut self.mac),
            ("device", &mut self.device),
            ("complete_through", &mut self.complete_through),
        ]
    }
}

/// An event that can be recorded.
///
/// Its serialized form is what [`Event::digest`] covers: a new field must be skipped when absent,
/// or a gateway that repeats an old event after an upgrade gets a conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Unique within the source.
    pub event_id: String,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What happened.
    pub fact: Fact,
    /// The source has sent everything up to here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complete_through: Option<Timestamp>,
    /// What else the gateway's log says.
    pub evidence: Evidence,
    /// It says that it happened long before or after it arrived: a clock may be wrong. Of its arrival, not of its content.
    #[serde(skip)]
    pub clock_skewed: bool,
}

/// When an event arrives, and how far from then it may say that it happened.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// Now.
    pub at: Timestamp,
    /// Times before this one are refused.
    pub earliest: Timestamp,
    /// Times further ahead of `at` than this are refused.
    pub ahead: SignedDuration,
    /// Further away than this, in either direction, its clock is suspect.
    pub skew: SignedDuration,
}

/// What an event says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Fact {
    /// Of a session.
    Session {
        /// Which of the three.
        kind: Kind,
        /// The gateway's name of the session.
        session_id: String,
        /// As last spelled.
        user: String,
        /// None where the gateway names none.
        realm: Option<String>,
    },
    /// Of the source: it started anew and knows nothing of its earlier sessions.
    Restart,
}

/// Kind of an event of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Kind {
    /// The session began.
    Login,
    /// Login computed from the session duration in a logout. A `Login` takes precedence.
    DerivedLogin,
    /// The session is still running.
    Active,
    /// The session ended.
    Logout,
}

/// Columns of the gateway's user log that decide nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// Why, in the gateway's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The person's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Address that the gateway gave to the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ip: Option<IpAddr>,
    /// Address that the client came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wan_ip: Option<IpAddr>,
    /// Hardware address of the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// Name of the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Length of the session so far, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_seconds: Option<i64>,
    /// What the authenticating server gave the gateway to hand on (RADIUS Class, RFC 2865 section 5.25).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
}

/// Why an event was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct FieldError {
    /// The field, by its name in the event JSON.
    pub field: &'static str,
    /// What it takes.
    pub message: String,
}

impl FieldError {
    /// A refusal of `field`.
    pub fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self {
            field,
            message: message.into(),
        }
    }
}

impl Event {
    /// Checks a raw.
    ///
    /// # Errors
    /// The first field that is missing or wrong.
    pub fn parse(raw: RawEvent, arrival: &Arrival) -> Result<Self, FieldError> {
        let event_id = required("event_id", raw.event_id, EVENT_ID_BYTES)?;
        let fact = match required("type", raw.kind, TEXT_BYTES)?.as_str() {
            "restart" => Fact::Restart,
            kind => Fact::Session {
                kind: if raw.derived {
                    Kind::DerivedLogin
                } else {
                    session_kind(kind)?
                },
                session_id: required("session_id", raw.session_id, TEXT_BYTES)?,
                user: required("user", raw.user, TEXT_BYTES)?,
                realm: optional("realm", raw.realm)?,
            },
        };
        let occurred_at = required("occurred_at", raw.occurred_at, TEXT_BYTES)?;
        let occurred_at = arrival.instant("occurred_at", &occurred_at)?;
        Ok(Self {
            event_id,
            occurred_at,
            clock_skewed: arrival.is_skewed(occurred_at),
            fact,
            complete_through: optional("complete_through", raw.complete_through)?
                .map(|text| arrival.instant("complete_through", &text))
                .transpose()?,
            evidence: Evidence {
                reason: optional("reason", raw.reason)?,
                display_name: optional("display_name", raw.display_name)?,
                client_ip: address("client_ip", raw.client_ip)?,
                wan_ip: address("wan_ip", raw.wan_ip)?,
                mac: optional("mac", raw.mac)?,
                device: optional("device", raw.device)?,
                active_seconds: seconds("active_seconds", raw.active_seconds)?,
                class: optional("class", raw.class)?,
            },
        })
    }

    /// Validates the raw events of one report. A derived login with an invalid time is omitted,
    /// because the logout from which it was derived is valid without it.
    ///
    /// # Errors
    /// The first field of another raw that is missing or wrong.
    pub fn parse_all(
        raw_events: Vec<RawEvent>,
        arrival: &Arrival,
    ) -> Result<Vec<Self>, FieldError> {
        raw_events
            .into_iter()
            .filter_map(|raw| {
                let is_derived = raw.derived;
                match Self::parse(raw, arrival) {
                    Err(refusal) if is_derived && refusal.field == "occurred_at" => None,
                    parsed => Some(parsed),
                }
            })
            .collect()
    }

    /// Returns the session ID. A restart has none.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        match &self.fact {
            Fact::Session { session_id, .. } => Some(session_id),
            Fact::Restart => None,
        }
    }

    /// Returns the names of the user and the realm. A restart has none.
    #[must_use]
    pub fn names(&self) -> Option<(&str, Option<&str>)> {
        match &self.fact {
            Fact::Session { user, realm, .. } => Some((user, realm.as_deref())),
            Fact::Restart => None,
        }
    }

    /// SHA-256 of the content: two events of one id are the same event if their digests are equal.
    #[must_use]
    #[allow(
        clippy::missing_panics_doc,
        reason = "an event has no map, so that its JSON cannot fail"
    )]
    pub fn digest(&self) -> [u8; 32] {
        let content = serde_json::to_vec(self).expect("JSON of plain fields");
        Sha256::digest(content).into()
    }
}

impl Arrival {
    /// Parses an RFC 3339 time that lies between `earliest` and `at + ahead`.
    fn instant(&self, field: &'static str, text: &str) -> Result<Timestamp, FieldError> {
        let instant = time::parse(text).ok_or_else(|| {
            let takes = "takes RFC 3339 with an offset, as 2025-01-01T15:30:00+05:30";
            FieldError::new(field, format!("got {}, {takes}", shown(text)))
        })?;
        if instant < self.earliest {
            let message = format!(
                "got {}, takes no time before {}",
                shown(text),
                self.earliest
            );
            return Err(FieldError::new(field, message));
        }
        let early = instant.duration_since(self.at);
        if early > self.ahead {
            let message = format!(
                "lies {} seconds ahead of the clock here, which is too far: is the gateway's clock right?",
                early.as_secs()
            );
            return Err(FieldError::new(field, message));
        }
        Ok(instant)
    }

    /// Returns true if the clock that set `occurred_at` may be wrong.
    fn is_skewed(&self, occurred_at: Timestamp) -> bool {
        occurred_at.duration_since(self.at).abs() > self.skew
    }
}

fn session_kind(kind: &str) -> Result<Kind, FieldError> {
    match kind {
        "login" => Ok(Kind::Login),
        "active" => Ok(Kind::Active),
        "logout" => Ok(Kind::Logout),
        other => Err(FieldError::new(
            "type",
            format!(
                "got {}, takes login, active, logout or restart",
                shown(other)
            ),
        )),
    }
}

fn required(
    field: &'static str,
    value: Option<String>,
    bytes: usize,
) -> Result<String, FieldError> {
    text(field, value, bytes)?.ok_or_else(|| FieldError::new(field, "is missing"))
}

fn optional(field: &'static str, value: Option<String>) -> Result<Option<String>, FieldError> {
    text(field, value, TEXT_BYTES)
}

/// Empty is absent: gateways write empty columns for what they do not know.
fn text(
    field: &'static str,
    value: Option<String>,
    bytes: usize,
) -> Result<Option<String>, FieldError> {
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    if value.len() > bytes {
        return Err(FieldError::new(
            field,
            format!("has {} bytes, takes at most {bytes}", value.len()),
        ));
    }
    if value.chars().any(char::is_control) {
        return Err(FieldError::new(field, "contains a control character"));
    }
    Ok(Some(value))
}

fn address(field: &'static str, value: Option<String>) -> Result<Option<IpAddr>, FieldError> {
    let Some(value) = optional(field, value)? else {
        return Ok(None);
    };
    value.parse().map(Some).map_err(|_| {
        FieldError::new(
            field,
            format!("got {}, takes an IPv4 or IPv6 address", shown(&value)),
        )
    })
}

fn seconds(field: &'static str, value: Option<i64>) -> Result<Option<i64>, FieldError> {
    match value {
        Some(value) if value < 0 => Err(FieldError::new(
            field,
            format!("got {value}, takes seconds from 0"),
        )),
        value => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw() -> RawEvent {
        RawEvent {
            event_id: Some("e1".into()),
            kind: Some("login".into()),
            session_id: Some("s1".into()),
            user: Some("user_4".into()),
            occurred_at: Some("2025-01-01T15:30:00.1234567+05:30".into()),
            ..RawEvent::default()
        }
    }

    fn arrival() -> Arrival {
        Arrival {
            at: "2025-01-01T10:00:00Z".parse().expect("an instant"),
            earliest: "2000-01-01T00:00:00Z".parse().expect("an instant"),
            ahead: SignedDuration::from_mins(5),
            skew: SignedDuration::from_hours(1),
        }
    }

    fn refused(change: impl FnOnce(&mut RawEvent)) -> String {
        let mut raw = raw();
        change(&mut raw);
        Event::parse(raw, &arrival())
            .expect_err("a field error")
            .to_string()
    }

    #[test]
    fn an_event_keeps_microseconds_and_no_more() {
        let event = Event::parse(raw(), &arrival()).expect("an event");
        assert_eq!(event.occurred_at.to_string(), "2025-01-01T10:00:00.123456Z");
    }

    #[test]
    fn a_refusal_names_the_field() {
        assert_eq!(refused(|raw| raw.event_id = None), "event_id: is missing");
        assert_eq!(
            refused(|raw| raw.event_id = Some("x".repeat(129))),
            "event_id: has 129 bytes, takes at most 128"
        );
        assert_eq!(
            refused(|raw| raw.user = Some(String::new())),
            "user: is missing"
        );
        assert_eq!(
            refused(|raw| raw.user = Some("a\0b".into())),
            "user: contains a control character"
        );
        assert_eq!(
            refused(|raw| raw.kind = Some("LOGIN".into())),
            "type: got \"LOGIN\", takes login, active, logout or restart"
        );
        assert!(
            refused(|raw| raw.occurred_at = Some("2025-01-01T15:30:00".into()))
                .starts_with("occurred_at: got")
        );
        assert!(
            refused(|raw| raw.client_ip = Some("10.0.0.256".into())).starts_with("client_ip: got")
        );
        assert_eq!(
            refused(|raw| raw.active_seconds = Some(-1)),
            "active_seconds: got -1, takes seconds from 0"
        );
    }

    #[test]
    fn a_time_too_far_ahead_is_refused_and_one_far_away_is_flagged() {
        let at = |text: &str| {
            Event::parse(
                RawEvent {
                    occurred_at: Some(text.into()),
                    ..raw()
                },
                &arrival(),
            )
        };
        let flags = [
            "2025-01-01T10:05:00Z",
            "2025-01-01T09:00:00Z",
            "2025-01-01T08:59:59Z",
        ];
        assert_eq!(
            flags.map(|text| at(text).expect("an event").clock_skewed),
            [false, false, true]
        );
        let refusal = at("2025-01-01T10:05:01Z")
            .expect_err("a field error")
            .to_string();
        assert!(
            refusal.starts_with("occurred_at: lies 301 seconds ahead"),
            "{refusal}"
        );
    }

    #[test]
    fn a_restart_needs_neither_session_nor_user() {
        let restart = RawEvent {
            kind: Some("restart".into()),
            session_id: None,
            user: None,
            ..raw()
        };
        assert_eq!(
            Event::parse(restart, &arrival()).expect("an event").fact,
            Fact::Restart
        );
    }

    #[test]
    fn the_digest_sees_content_and_not_its_spelling() {
        let digest = |change: fn(&mut RawEvent)| {
            let mut raw = raw();
            change(&mut raw);
            Event::parse(raw, &arrival()).expect("an event").digest()
        };
        let original = digest(|_| ());
        assert_eq!(
            original,
            digest(|raw| raw.occurred_at = Some("2025-01-01T10:00:00.123456Z".into()))
        );
        assert_eq!(original, digest(|raw| raw.reason = Some(String::new())));
        assert_ne!(original, digest(|raw| raw.reason = Some("idle".into())));
        assert_ne!(original, digest(|raw| raw.user = Some("USER_4".into())));
    }

    #[test]
    fn a_time_outside_the_accepted_range_is_refused_by_the_name_of_its_field() {
        for bad in [
            "0001-01-01T00:00:00Z",
            "1999-12-31T23:59:59.999999Z",
            "9999-12-30T00:00:00Z",
        ] {
            let refusal = refused(|raw| raw.occurred_at = Some(bad.into()));
            assert!(refusal.starts_with("occurred_at: "), "{refusal}");
            let refusal = refused(|raw| raw.complete_through = Some(bad.into()));
            assert!(refusal.starts_with("complete_through: "), "{refusal}");
        }
        assert_eq!(
            refused(|raw| raw.occurred_at = Some("1999-12-31T23:59:59Z".into())),
            "occurred_at: got \"1999-12-31T23:59:59Z\", takes no time before 2000-01-01T00:00:00Z"
        );
    }

    #[test]
    fn a_derived_login_outside_the_accepted_range_is_left_out_and_its_logout_stays() {
        let logout = RawEvent {
            kind: Some("logout".into()),
            ..raw()
        };
        let derived = |at: &str| RawEvent {
            event_id: Some("e1-login".into()),
            derived: true,
            occurred_at: Some(at.into()),
            ..raw()
        };
        let parsed = |raw_events: [RawEvent; 2]| {
            let events = Event::parse_all(raw_events.into(), &arrival()).expect("events");
            events
                .into_iter()
                .map(|event| event.event_id)
                .collect::<Vec<_>>()
        };
        let early = derived("1890-01-01T00:00:00Z");
        assert_eq!(parsed([early, logout.clone()]), ["e1"]);
        let good = derived("2025-01-01T09:00:00Z");
        assert_eq!(parsed([good, logout]), ["e1-login", "e1"]);
    }

    #[test]
    fn a_nul_in_any_text_field_is_refused_by_the_name_of_the_field() {
        let names = raw().texts().map(|(name, _)| name);
        for (index, name) in names.into_iter().enumerate() {
            let refusal = refused(|raw| *raw.texts()[index].1 = Some("a\0b".into()));
            assert_eq!(refusal, format!("{name}: contains a control character"));
        }
        let refusal = refused(|raw| raw.class = Some("a\0b".into()));
        assert_eq!(refusal, "class: contains a control character");
    }
}
