//! A row of the file as the events of its session.

use csv::StringRecord;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use rollcall_attendance::{
    DEFAULT_REALM,
    event::{Arrival, Event, FieldError, RawEvent},
    key,
};

use super::columns::Columns;
use crate::made_id;

/// How times are written.
pub struct Times {
    /// Of times without an offset.
    pub zone: TimeZone,
    /// Of times that are not RFC 3339.
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
                FieldError::new(
                    field,
                    format!(
                        "must be a time as {} or RFC 3339 (got {text:?})",
                        self.format
                    ),
                )
            })
    }
}

/// The login, and the logout unless the session is still on.
///
/// # Errors
/// The first column that is missing or wrong.
pub fn events(
    record: &StringRecord,
    columns: &Columns,
    times: &Times,
    arrival: &Arrival,
) -> Result<Vec<Event>, FieldError> {
    let value = |field: &'static str| columns.value(record, field);
    let required =
        |field: &'static str| value(field).ok_or_else(|| FieldError::new(field, "is missing"));
    let login = times.parse("login", required("login")?)?;
    let logout = value("logout")
        .map(|text| times.parse("logout", text))
        .transpose()?;
    if logout.is_some_and(|logout| logout < login) {
        return Err(FieldError::new("logout", "lies before the login"));
    }
    let session_id = session_id(record, columns, login, required("user")?);
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

/// The log has no session id: who, where from and since when name the session, and stay when its logout becomes known.
fn session_id(record: &StringRecord, columns: &Columns, login: Timestamp, user: &str) -> String {
    let text = |field: &str| columns.value(record, field).unwrap_or_default().to_owned();
    let realm = columns.value(record, "realm").unwrap_or(DEFAULT_REALM);
    let parts = [
        key(user),
        key(realm),
        login.to_string(),
        text("wan_ip"),
        text("client_ip"),
        text("mac"),
        text("device"),
    ];
    made_id("csv", &parts.each_ref().map(String::as_str))
}
