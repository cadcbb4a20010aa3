//! Conversion of a row to the events of its session.

use csv::StringRecord;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use rollcall_attendance::{
    DEFAULT_REALM,
    event::{Arrival, Event, FieldError, RawEvent},
    name::normalize,
};
use rollcall_wire::quote::quoted;

use super::columns::Columns;
use crate::made_id;

/// Form of the times in a file.
pub struct Times {
    /// Time zone of times without an offset.
    pub zone: TimeZone,
    /// Format of times that are not in the format of RFC 3339, for `strptime`.
    pub format: String,
}

impl Times {
    fn parse(&self, field: &'static str, text: &str) -> Result<Timestamp, FieldError> {
        if let Ok(instant) = text.parse() {
            return Ok(instant);
        }
        DateTime::strptime(&self.format, text)
            .and_then(|local| local.to_zoned(self.zone.clone()))
            .map(|zoned| zoned.timestamp())
            .map_err(|_| {
                let accepted = self.accepted();
                FieldError::new(field, format!("must be {accepted} (got {})", quoted(text)))
            })
    }

    fn accepted(&self) -> String {
        format!("a time in the form {} or RFC 3339", self.format)
    }
}

/// Returns the login of a row, and the logout unless the session is open.
///
/// # Errors
/// The first field that is missing or invalid.
pub fn events(
    record: &StringRecord,
    columns: &Columns,
    times: &Times,
    arrival: &Arrival,
) -> Result<Vec<Event>, FieldError> {
    let value = |field: &'static str| columns.value(record, field);
    let login = value("login").ok_or_else(|| FieldError::missing("login", &times.accepted()))?;
    let login = times.parse("login", login)?;
    let logout = value("logout")
        .map(|text| times.parse("logout", text))
        .transpose()?;
    if logout.is_some_and(|logout| logout < login) {
        return Err(FieldError::new("logout", "must not be before the login"));
    }
    let user =
        value("user").ok_or_else(|| FieldError::missing("user", "a text of 1 to 256 bytes"))?;
    let session_id = session_id(record, columns, login, user);
    let raw = |kind: &str, at: Timestamp, id: String| {
        let text = |field: &'static str| value(field).map(str::to_owned);
        let raw = RawEvent {
            event_id: Some(id),
            kind: Some(kind.into()),
            session_id: Some(session_id.clone()),
            occurred_at: Some(at.to_string()),
            user: text("user"),
            realm: text("realm"),
            display_name: text("display_name"),
            wan_ip: text("wan_ip"),
            client_ip: text("client_ip"),
            mac: text("mac"),
            device: text("device"),
            reason: if kind == "logout" {
                text("reason")
            } else {
                None
            },
            ..RawEvent::default()
        };
        Event::parse(raw, arrival)
    };
    let mut events = vec![raw("login", login, format!("{session_id}-login"))?];
    if let Some(logout) = logout {
        events.push(raw(
            "logout",
            logout,
            format!("{session_id}-logout-{}", logout.as_second()),
        )?);
    }
    Ok(events)
}

/// Derives a session ID, because the log has none. It depends only on values that do not change
/// when the logout becomes known.
fn session_id(record: &StringRecord, columns: &Columns, login: Timestamp, user: &str) -> String {
    let text = |field: &str| columns.value(record, field).unwrap_or_default().to_owned();
    let realm = columns.value(record, "realm").unwrap_or(DEFAULT_REALM);
    let parts = [
        normalize(user),
        normalize(realm),
        login.to_string(),
        text("wan_ip"),
        text("client_ip"),
        text("mac"),
        text("device"),
    ];
    made_id("csv", &parts.each_ref().map(String::as_str))
}
