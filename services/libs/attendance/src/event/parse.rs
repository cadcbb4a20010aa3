//! Validates raw events.

use jiff::Timestamp;
use rollcall_wire::quote::quoted;

use super::{
    Arrival, EVENT_ID_BYTES, Event, Evidence, Fact, FieldError, Kind, RawEvent, SessionName,
    TEXT_BYTES,
};
use crate::time;

const NAME: &str = "a text of 1 to 256 bytes";
const TYPES: &str = "one of login, active, logout, restart";
const TIME: &str = "RFC 3339 with an offset, such as 2025-01-01T15:30:00+05:30";

impl Event {
    /// Validates a raw event.
    ///
    /// # Errors
    /// Names the first field that is missing or invalid.
    pub fn parse(mut raw: RawEvent, arrival: &Arrival) -> Result<Self, FieldError> {
        let event_id = event_id(raw.event_id.take())?;
        let fact = match required("type", raw.kind.take(), TYPES)?.as_str() {
            "restart" => Fact::Restart,
            kind => session_fact(session_kind(kind)?, &mut raw)?,
        };
        let occurred_at = required("occurred_at", raw.occurred_at.take(), TIME)?;
        let occurred_at = arrival.instant("occurred_at", &occurred_at)?;
        Ok(Self {
            event_id,
            occurred_at,
            clock_skewed: arrival.is_skewed(occurred_at),
            fact,
            complete_through: arrival.optional("complete_through", raw.complete_through.take())?,
            evidence: Evidence::parse(&mut raw, arrival)?,
            input_digest: raw.input_digest,
            reported_names: None,
        })
    }

    /// Validates a raw event. Returns the event, after the login derived from it if there is one.
    /// With a correlation key, the derived login is no event of its own, because it belongs to the
    /// session of its logout whatever happened at its time: see [`Session::of`].
    ///
    /// [`Session::of`]: crate::session::Session::of
    ///
    /// # Errors
    /// Names the first field that is missing or invalid.
    pub fn parse_all(raw: RawEvent, arrival: &Arrival) -> Result<Vec<Self>, FieldError> {
        let mut event = Self::parse(raw, arrival)?;
        let login = event.derived_login(arrival);
        if event.correlation_key().is_none() {
            return Ok(login.into_iter().chain([event]).collect());
        }
        if login.is_none() {
            event.evidence.duration_seconds = None;
        }
        Ok(vec![event])
    }
}

impl Arrival {
    /// Parses an optional time, as [`Arrival::instant`] does.
    pub(super) fn optional(
        &self,
        field: &'static str,
        text: Option<String>,
    ) -> Result<Option<Timestamp>, FieldError> {
        let text = optional(field, text)?;
        text.map(|text| self.instant(field, &text)).transpose()
    }

    /// Parses an RFC 3339 time that lies between `earliest` and `at + ahead`.
    fn instant(&self, field: &'static str, text: &str) -> Result<Timestamp, FieldError> {
        let instant = time::parse(text).ok_or_else(|| {
            FieldError::new(field, format!("must be {TIME} (got {})", quoted(text)))
        })?;
        if instant < self.earliest {
            let message = format!(
                "must not be before {} (got {})",
                self.earliest,
                quoted(text)
            );
            return Err(FieldError::new(field, message));
        }
        let early = instant.duration_since(self.at);
        if early > self.ahead {
            let message = format!(
                "must be at most {} seconds ahead of Rollcall's clock (got {}); check the clock of \
                 the gateway",
                self.ahead.as_secs(),
                quoted(text)
            );
            return Err(FieldError::new(field, message));
        }
        Ok(instant)
    }
}

fn session_fact(kind: Kind, raw: &mut RawEvent) -> Result<Fact, FieldError> {
    let session = session_name(raw)?;
    let user = optional("user", raw.user.take())?;
    let is_made_by_rule = raw.input_digest.is_some();
    let needs_user =
        kind == Kind::Login || matches!(session, SessionName::Id(_)) && !is_made_by_rule;
    if user.is_none() && needs_user {
        return Err(FieldError::missing("user", NAME));
    }
    let realm = optional("realm", raw.realm.take())?;
    Ok(Fact::Session {
        kind,
        session,
        user,
        realm,
    })
}

fn session_name(raw: &mut RawEvent) -> Result<SessionName, FieldError> {
    let id = optional("session_id", raw.session_id.take())?;
    let key = optional("correlation_key", raw.correlation_key.take())?;
    match (id, key) {
        (Some(id), None) => Ok(SessionName::Id(id)),
        (None, Some(key)) => Ok(SessionName::CorrelationKey(key)),
        (None, None) => Err(FieldError::missing("session_id", NAME)),
        (Some(_), Some(_)) => Err(FieldError::new(
            "correlation_key",
            "must be absent if session_id is present",
        )),
    }
}

fn session_kind(kind: &str) -> Result<Kind, FieldError> {
    match kind {
        "login" => Ok(Kind::Login),
        "active" => Ok(Kind::Active),
        "logout" => Ok(Kind::Logout),
        other => {
            let message = format!("must be {TYPES} (got {})", quoted(other));
            Err(FieldError::new("type", message))
        }
    }
}

/// Validates a required text. `accepted` is as for [`FieldError::missing`].
fn required(
    field: &'static str,
    value: Option<String>,
    accepted: &str,
) -> Result<String, FieldError> {
    optional(field, value)?.ok_or_else(|| FieldError::missing(field, accepted))
}

fn event_id(value: Option<String>) -> Result<String, FieldError> {
    let accepted = "a text of 1 to 128 bytes that is unique within the source";
    let event_id = text("event_id", value, EVENT_ID_BYTES)?;
    event_id.ok_or_else(|| FieldError::missing("event_id", accepted))
}

pub(super) fn optional(
    field: &'static str,
    value: Option<String>,
) -> Result<Option<String>, FieldError> {
    text(field, value, TEXT_BYTES)
}

fn text(
    field: &'static str,
    value: Option<String>,
    max_bytes: usize,
) -> Result<Option<String>, FieldError> {
    crate::text::text(value, max_bytes).map_err(|error| FieldError::new(field, error.to_string()))
}

#[cfg(test)]
mod tests;
