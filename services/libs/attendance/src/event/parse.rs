//! Validates raw events.

use jiff::Timestamp;

use super::{
    Arrival, EVENT_ID_BYTES, Event, Evidence, Fact, FieldError, Kind, RawEvent, TEXT_BYTES,
};
use crate::{shown::shown, time};

impl Event {
    /// Validates a raw event.
    ///
    /// # Errors
    /// Names the first field that is missing or invalid.
    pub fn parse(mut raw: RawEvent, arrival: &Arrival) -> Result<Self, FieldError> {
        let event_id = required("event_id", raw.event_id.take(), EVENT_ID_BYTES)?;
        let fact = match required("type", raw.kind.take(), TEXT_BYTES)?.as_str() {
            "restart" => Fact::Restart,
            kind => Fact::Session {
                kind: session_kind(kind)?,
                session_id: required("session_id", raw.session_id.take(), TEXT_BYTES)?,
                user: required("user", raw.user.take(), TEXT_BYTES)?,
                realm: optional("realm", raw.realm.take())?,
            },
        };
        let occurred_at = required("occurred_at", raw.occurred_at.take(), TEXT_BYTES)?;
        let occurred_at = arrival.instant("occurred_at", &occurred_at)?;
        Ok(Self {
            event_id,
            occurred_at,
            clock_skewed: arrival.is_skewed(occurred_at),
            fact,
            complete_through: optional("complete_through", raw.complete_through.take())?
                .map(|text| arrival.instant("complete_through", &text))
                .transpose()?,
            evidence: Evidence::parse(&mut raw)?,
        })
    }

    /// Validates a raw event. Returns the event, after the login derived from it if there is one.
    ///
    /// # Errors
    /// Names the first field that is missing or invalid.
    pub fn parse_all(raw: RawEvent, arrival: &Arrival) -> Result<Vec<Self>, FieldError> {
        let event = Self::parse(raw, arrival)?;
        let mut events = Vec::with_capacity(1);
        events.extend(event.derived_login(arrival));
        events.push(event);
        Ok(events)
    }
}

impl Arrival {
    /// Parses an RFC 3339 time that lies between `earliest` and `at + ahead`.
    fn instant(&self, field: &'static str, text: &str) -> Result<Timestamp, FieldError> {
        let instant = time::parse(text).ok_or_else(|| {
            let accepted = "must be RFC 3339 with an offset, such as 2025-01-01T15:30:00+05:30";
            FieldError::new(field, format!("{accepted} (got {})", shown(text)))
        })?;
        if instant < self.earliest {
            let message = format!("must not be before {} (got {})", self.earliest, shown(text));
            return Err(FieldError::new(field, message));
        }
        let early = instant.duration_since(self.at);
        if early > self.ahead {
            let message = format!(
                "lies {} seconds ahead of Rollcall's clock, which is too far. Check the clock of \
                 the gateway",
                early.as_secs()
            );
            return Err(FieldError::new(field, message));
        }
        Ok(instant)
    }
}

fn session_kind(kind: &str) -> Result<Kind, FieldError> {
    match kind {
        "login" => Ok(Kind::Login),
        "active" => Ok(Kind::Active),
        "logout" => Ok(Kind::Logout),
        other => {
            let accepted = "must be one of login, active, logout, restart";
            let message = format!("{accepted} (got {})", shown(other));
            Err(FieldError::new("type", message))
        }
    }
}

fn required(
    field: &'static str,
    value: Option<String>,
    bytes: usize,
) -> Result<String, FieldError> {
    text(field, value, bytes)?.ok_or_else(|| FieldError::new(field, "is missing"))
}

pub(super) fn optional(
    field: &'static str,
    value: Option<String>,
) -> Result<Option<String>, FieldError> {
    text(field, value, TEXT_BYTES)
}

/// Validates a text. An empty text is absent, because gateways write empty columns for unknown
/// values.
fn text(
    field: &'static str,
    value: Option<String>,
    bytes: usize,
) -> Result<Option<String>, FieldError> {
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    if value.len() > bytes {
        let message = format!("must have at most {bytes} bytes (got {})", value.len());
        return Err(FieldError::new(field, message));
    }
    if value.chars().any(char::is_control) {
        return Err(FieldError::new(
            field,
            "must not contain a control character",
        ));
    }
    Ok(Some(value))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

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
        assert_eq!(refused(|raw| raw.event_id = None), "event_id is missing");
        assert_eq!(
            refused(|raw| raw.event_id = Some("x".repeat(129))),
            "event_id must have at most 128 bytes (got 129)"
        );
        assert_eq!(
            refused(|raw| raw.user = Some(String::new())),
            "user is missing"
        );
        assert_eq!(
            refused(|raw| raw.user = Some("a\0b".into())),
            "user must not contain a control character"
        );
        assert_eq!(
            refused(|raw| raw.kind = Some("LOGIN".into())),
            "type must be one of login, active, logout, restart (got \"LOGIN\")"
        );
        assert!(
            refused(|raw| raw.occurred_at = Some("2025-01-01T15:30:00".into()))
                .starts_with("occurred_at must be RFC 3339")
        );
        assert!(
            refused(|raw| raw.client_ip = Some("10.0.0.256".into()))
                .starts_with("client_ip must be an IPv4")
        );
        assert_eq!(
            refused(|raw| raw.active_seconds = Some(-1)),
            "active_seconds must be a number of seconds from 0 (got -1)"
        );
        assert_eq!(
            refused(|raw| raw.next_in_seconds = Some(-1)),
            "next_in_seconds must be a number of seconds from 0 (got -1)"
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
            refusal.starts_with("occurred_at lies 301 seconds ahead"),
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
            assert!(refusal.starts_with("occurred_at "), "{refusal}");
            let refusal = refused(|raw| raw.complete_through = Some(bad.into()));
            assert!(refusal.starts_with("complete_through "), "{refusal}");
        }
        assert_eq!(
            refused(|raw| raw.occurred_at = Some("1999-12-31T23:59:59Z".into())),
            "occurred_at must not be before 2000-01-01T00:00:00Z (got \"1999-12-31T23:59:59Z\")"
        );
    }

    #[test]
    fn logout_with_duration_gives_derived_login() {
        let logout = |duration| RawEvent {
            kind: Some("logout".into()),
            duration_seconds: Some(duration),
            reason: Some("idle".into()),
            ..raw()
        };
        let events = Event::parse_all(logout(3_600), &arrival()).expect("events");
        let [login, logout_event] = &events[..] else {
            panic!("two events: {events:?}")
        };
        assert_eq!(login.event_id, "e1-derived-login");
        assert_eq!(login.occurred_at.to_string(), "2025-01-01T09:00:00.123456Z");
        assert!(matches!(
            login.fact,
            Fact::Session {
                kind: Kind::DerivedLogin,
                ..
            }
        ));
        assert_eq!(login.evidence.reason, None);
        assert_eq!(logout_event.evidence.reason.as_deref(), Some("idle"));
    }

    #[test]
    fn derived_login_outside_the_accepted_range_is_omitted() {
        for duration in [30 * 366 * 86_400, i64::MAX] {
            let logout = RawEvent {
                kind: Some("logout".into()),
                duration_seconds: Some(duration),
                ..raw()
            };
            let events = Event::parse_all(logout, &arrival()).expect("events");
            assert_eq!(events.len(), 1, "{events:?}");
            assert_eq!(events[0].event_id, "e1");
        }
    }

    #[test]
    fn duration_gives_no_login_except_in_a_logout() {
        let active = RawEvent {
            kind: Some("active".into()),
            duration_seconds: Some(60),
            ..raw()
        };
        let events = Event::parse_all(active, &arrival()).expect("events");
        assert_eq!(events.len(), 1, "{events:?}");
    }

    #[test]
    fn derived_login_of_a_long_event_id_has_a_valid_event_id() {
        let logout = RawEvent {
            event_id: Some("e".repeat(EVENT_ID_BYTES)),
            kind: Some("logout".into()),
            duration_seconds: Some(60),
            ..raw()
        };
        let events = Event::parse_all(logout, &arrival()).expect("events");
        assert!(events[0].event_id.len() <= EVENT_ID_BYTES);
        assert_ne!(events[0].event_id, events[1].event_id);
    }

    #[test]
    fn nul_in_class_is_refused() {
        assert_eq!(
            refused(|raw| raw.class = Some("a\0b".into())),
            "class must not contain a control character"
        );
    }
}
