//! Conversion of a row to the events of its session.

use csv::StringRecord;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use rollcall_attendance::{
    DEFAULT_REALM,
    event::{Arrival, Event, FieldError, RawEvent},
    name::normalize,
    period::day_start,
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
    /// Returns the instant, and whether a clock change skips or repeats the local time. Such a time
    /// follows the rule of [`day_start`].
    fn parse(&self, field: &'static str, text: &str) -> Result<(Timestamp, bool), FieldError> {
        if let Ok(instant) = text.parse() {
            return Ok((instant, false));
        }
        DateTime::strptime(&self.format, text)
            .and_then(|local| {
                let instant = day_start(local.date(), local.time(), &self.zone)?;
                Ok((
                    instant,
                    self.zone.to_ambiguous_timestamp(local).is_ambiguous(),
                ))
            })
            .map_err(|_| {
                let accepted = self.accepted();
                FieldError::new(field, format!("must be {accepted} (got {})", quoted(text)))
            })
    }

    fn accepted(&self) -> String {
        format!("a time in the form {} or RFC 3339", self.format)
    }
}

/// A session, as a row states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The login, and the logout unless the session is open.
    pub events: Vec<Event>,
    /// Number of local times that a clock change skips or repeats.
    pub clock_changes: i64,
}

/// Parses a row.
///
/// # Errors
/// The first field that is missing or invalid.
pub fn session(
    record: &StringRecord,
    columns: &Columns,
    times: &Times,
    arrival: &Arrival,
) -> Result<Session, FieldError> {
    let value = |field: &'static str| columns.value(record, field);
    let login = value("login").ok_or_else(|| FieldError::missing("login", &times.accepted()))?;
    let (login, is_login_changed) = times.parse("login", login)?;
    let logout = value("logout")
        .map(|text| times.parse("logout", text))
        .transpose()?;
    if logout.is_some_and(|(logout, _)| logout < login) {
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
    if let Some((logout, _)) = logout {
        events.push(raw(
            "logout",
            logout,
            format!("{session_id}-logout-{}", logout.as_second()),
        )?);
    }
    Ok(Session {
        events,
        clock_changes: i64::from(is_login_changed)
            + i64::from(logout.is_some_and(|(_, is_changed)| is_changed)),
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_time_that_a_clock_change_skips_or_repeats_follows_the_rule_of_the_start_of_day() {
        let times = Times {
            zone: TimeZone::get("America/New_York").expect("a zone"),
            format: "%Y-%m-%d %H:%M:%S".into(),
        };
        for (text, expected, is_changed) in [
            ("2026-03-08 02:30:00", "2026-03-08T07:00:00Z", true),
            ("2026-11-01 01:30:00", "2026-11-01T05:30:00Z", true),
            ("2026-11-01 02:30:00", "2026-11-01T07:30:00Z", false),
            ("2026-11-01T01:30:00-05:00", "2026-11-01T06:30:00Z", false),
        ] {
            let expected = (expected.parse().expect("an instant"), is_changed);
            assert_eq!(times.parse("login", text), Ok(expected), "{text}");
        }
    }
}
