//! Turns an Accounting-Request into a raw event (RFC 2866, section 5; RFC 2869, sections 2.1 and
//! 5.3).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jiff::{SignedDuration, Timestamp};
use rollcall_attendance::event::{FieldError, RawEvent};

use super::Request;
use crate::made_event_id;

const USER_NAME: u8 = 1;
const NAS_IP_ADDRESS: u8 = 4;
const FRAMED_IP_ADDRESS: u8 = 8;
const CLASS: u8 = 25;
const CALLING_STATION_ID: u8 = 31;
const NAS_IDENTIFIER: u8 = 32;
const STATUS_TYPE: u8 = 40;
const DELAY_TIME: u8 = 41;
const SESSION_ID: u8 = 44;
const SESSION_TIME: u8 = 46;
const TERMINATE_CAUSE: u8 = 49;
const EVENT_TIMESTAMP: u8 = 55;
const NAS_IPV6_ADDRESS: u8 = 95;

/// Values of Acct-Terminate-Cause, starting at 1 (RFC 2866, section 5.10).
const TERMINATE_CAUSES: [&str; 18] = [
    "User-Request",
    "Lost-Carrier",
    "Lost-Service",
    "Idle-Timeout",
    "Session-Timeout",
    "Admin-Reset",
    "Admin-Reboot",
    "Port-Error",
    "NAS-Error",
    "NAS-Request",
    "NAS-Reboot",
    "Port-Unneeded",
    "Port-Preempted",
    "Port-Suspended",
    "Service-Unavailable",
    "Callback",
    "User-Error",
    "Host-Request",
];

/// Returns the raw event of a request that arrived at `received_at`.
///
/// The event ID consists of what does not change when a gateway sends the request again with
/// another Acct-Delay-Time.
///
/// # Errors
/// Names the attribute that is missing or invalid.
pub fn raw_event(request: &Request, received_at: Timestamp) -> Result<RawEvent, FieldError> {
    let kind = kind(request)?;
    let nas = nas(request)?;
    let second = optional_number(request, EVENT_TIMESTAMP, "Event-Timestamp")?.map(i64::from);
    let occurred_at = occurred_at(request, second, received_at)?;
    let duration = optional_number(request, SESSION_TIME, "Acct-Session-Time")?;
    if kind == "restart" {
        let id = made_event_id("radius", second, &[&nas, kind, &moment(request)]);
        return Ok(RawEvent {
            event_id: Some(id),
            kind: Some(kind.into()),
            occurred_at: Some(occurred_at.to_string()),
            ..RawEvent::default()
        });
    }
    let session = required_text(request, SESSION_ID, "Acct-Session-Id")?;
    let progress = match duration {
        _ if second.is_some() => moment(request),
        Some(duration) => duration.to_string(),
        // A session has one Start, so that the session identifies it.
        None if kind == "login" => String::new(),
        None => moment(request),
    };
    let id = made_event_id("radius", second, &[&nas, kind, &session, &progress]);
    Ok(RawEvent {
        event_id: Some(id),
        kind: Some(kind.into()),
        session_id: Some(format!("{nas}/{session}")),
        user: Some(required_text(request, USER_NAME, "User-Name")?),
        occurred_at: Some(occurred_at.to_string()),
        duration_seconds: duration.map(i64::from),
        ..evidence(request, kind)?
    })
}

/// Returns the type of the event that Acct-Status-Type names.
fn kind(request: &Request) -> Result<&'static str, FieldError> {
    let accepted =
        "Start (1), Stop (2), Interim-Update (3), Accounting-On (7) or Accounting-Off (8)";
    let status = optional_number(request, STATUS_TYPE, "Acct-Status-Type")?
        .ok_or_else(|| FieldError::missing("Acct-Status-Type", accepted))?;
    match status {
        1 => Ok("login"),
        2 => Ok("logout"),
        3 => Ok("active"),
        7 | 8 => Ok("restart"),
        other => {
            let message = format!("must be {accepted} (got {other})");
            Err(FieldError::new("Acct-Status-Type", message))
        }
    }
}

/// Returns the NAS-Identifier, or the address of the NAS if the request has no NAS-Identifier.
fn nas(request: &Request) -> Result<String, FieldError> {
    if let Some(name) = request.first(NAS_IDENTIFIER) {
        return text("NAS-Identifier", name);
    }
    let address = request
        .first(NAS_IP_ADDRESS)
        .or_else(|| request.first(NAS_IPV6_ADDRESS));
    let address = address.ok_or_else(|| {
        let message = "is missing; it must be present unless NAS-IP-Address is";
        FieldError::new("NAS-Identifier", message)
    })?;
    address_of("NAS-IP-Address", address).map(|address| address.to_string())
}

/// Returns the time of the event: Event-Timestamp, or else the arrival minus Acct-Delay-Time.
fn occurred_at(
    request: &Request,
    second: Option<i64>,
    received_at: Timestamp,
) -> Result<Timestamp, FieldError> {
    if let Some(second) = second {
        return Timestamp::from_second(second).map_err(|_| {
            FieldError::new(
                "Event-Timestamp",
                format!("must be a number of seconds since 1970 (got {second})"),
            )
        });
    }
    let delay = optional_number(request, DELAY_TIME, "Acct-Delay-Time")?.unwrap_or_default();
    received_at
        .checked_sub(SignedDuration::from_secs(delay.into()))
        .map_err(|_| {
            FieldError::new(
                "Acct-Delay-Time",
                format!("must be a number of seconds (got {delay})"),
            )
        })
}

/// Returns what distinguishes two events of one kind and session: their time, or else the Request
/// Authenticator.
fn moment(request: &Request) -> String {
    hex::encode(
        request
            .first(EVENT_TIMESTAMP)
            .unwrap_or(&request.authenticator),
    )
}

fn evidence(request: &Request, kind: &str) -> Result<RawEvent, FieldError> {
    let calling = request
        .first(CALLING_STATION_ID)
        .map(|value| text("Calling-Station-Id", value))
        .transpose()?;
    let (wan_ip, mac) = match calling {
        Some(station) if station.parse::<IpAddr>().is_ok() => (Some(station), None),
        other => (None, other),
    };
    let framed = request
        .first(FRAMED_IP_ADDRESS)
        .map(|value| address_of("Framed-IP-Address", value))
        .transpose()?;
    let cause = optional_number(request, TERMINATE_CAUSE, "Acct-Terminate-Cause")?
        .filter(|_| kind == "logout");
    Ok(RawEvent {
        reason: cause.map(terminate_cause),
        client_ip: framed.map(|address| address.to_string()),
        wan_ip,
        mac,
        class: request.first(CLASS).map(octets),
        ..RawEvent::default()
    })
}

fn terminate_cause(cause: u32) -> String {
    let known = usize::try_from(cause)
        .ok()
        .and_then(|cause| TERMINATE_CAUSES.get(cause.wrapping_sub(1)));
    known.map_or_else(|| cause.to_string(), |name| (*name).to_owned())
}

fn required_text(request: &Request, kind: u8, name: &'static str) -> Result<String, FieldError> {
    let value = request.first(kind);
    text(
        name,
        value.ok_or_else(|| FieldError::missing(name, "a text of 1 to 253 bytes"))?,
    )
}

fn optional_number(
    request: &Request,
    kind: u8,
    name: &'static str,
) -> Result<Option<u32>, FieldError> {
    request
        .first(kind)
        .map(|value| number(name, value))
        .transpose()
}

fn number(name: &'static str, value: &[u8]) -> Result<u32, FieldError> {
    let bytes = value
        .try_into()
        .map_err(|_| FieldError::new(name, format!("must have 4 bytes (got {})", value.len())))?;
    Ok(u32::from_be_bytes(bytes))
}

fn text(name: &'static str, value: &[u8]) -> Result<String, FieldError> {
    // Some gateways end a text with NUL, as C does.
    let value = value.strip_suffix(b"\0").unwrap_or(value);
    String::from_utf8(value.to_vec()).map_err(|_| FieldError::new(name, "is not UTF-8"))
}

/// Returns a text as it is, and other octets in hexadecimal.
fn octets(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => format!("0x{}", hex::encode(&value[..value.len().min(127)])),
    }
}

fn address_of(name: &'static str, value: &[u8]) -> Result<IpAddr, FieldError> {
    if let Ok(four) = <[u8; 4]>::try_from(value) {
        return Ok(Ipv4Addr::from(four).into());
    }
    let sixteen = <[u8; 16]>::try_from(value).map_err(|_| {
        FieldError::new(
            name,
            format!("must have 4 or 16 bytes (got {})", value.len()),
        )
    })?;
    Ok(Ipv6Addr::from(sixteen).into())
}

#[cfg(test)]
mod tests {
    use super::{super::tests::request, *};

    const NAS: (u8, &[u8]) = (NAS_IDENTIFIER, b"gateway-1");
    const USER: (u8, &[u8]) = (USER_NAME, b"user_4");
    const SESSION: (u8, &[u8]) = (SESSION_ID, b"5E1F");

    fn read(attributes: &[(u8, &[u8])]) -> RawEvent {
        let received_at = "2025-01-01T10:00:00Z".parse().expect("an instant");
        raw_event(&request(attributes), received_at).expect("a raw event")
    }

    #[test]
    fn stop_has_duration_cause_and_evidence() {
        let stop = read(&[
            NAS,
            USER,
            SESSION,
            (STATUS_TYPE, &[0, 0, 0, 2]),
            (SESSION_TIME, &[0, 0, 14, 16]),
            (TERMINATE_CAUSE, &[0, 0, 0, 4]),
            (EVENT_TIMESTAMP, &1_735_725_600_u32.to_be_bytes()),
            (CALLING_STATION_ID, b"203.0.113.5"),
            (FRAMED_IP_ADDRESS, &[10, 8, 0, 2]),
            (CLASS, &[0xff, 1]),
        ]);
        assert_eq!(stop.occurred_at.as_deref(), Some("2025-01-01T10:00:00Z"));
        assert_eq!(stop.session_id.as_deref(), Some("gateway-1/5E1F"));
        assert_eq!(
            (stop.reason.as_deref(), stop.duration_seconds),
            (Some("Idle-Timeout"), Some(3600))
        );
        assert_eq!(
            (stop.wan_ip.as_deref(), stop.client_ip.as_deref()),
            (Some("203.0.113.5"), Some("10.8.0.2"))
        );
        assert_eq!(stop.class.as_deref(), Some("0xff01"));
    }

    #[test]
    fn request_sent_again_with_another_delay_has_the_same_event_id() {
        let start = |delay: u8| {
            read(&[
                NAS,
                USER,
                SESSION,
                (STATUS_TYPE, &[0, 0, 0, 1]),
                (DELAY_TIME, &[0, 0, 0, delay]),
            ])
        };
        let time = |delay| start(delay).occurred_at;
        assert_eq!(time(0).as_deref(), Some("2025-01-01T10:00:00Z"));
        assert_eq!(time(30).as_deref(), Some("2025-01-01T09:59:30Z"));
        assert_eq!(start(0).event_id, start(30).event_id);
    }

    #[test]
    fn event_ids_are_ordered_by_event_timestamp() {
        let id = |second: u8| {
            let stamp: &[u8] = &[0x67, 0x75, 0x18, second];
            let raw = read(&[
                NAS,
                USER,
                SESSION,
                (STATUS_TYPE, &[0, 0, 0, 1]),
                (EVENT_TIMESTAMP, stamp),
            ]);
            raw.event_id.expect("an ID")
        };
        let ids: Vec<String> = (0..=255).map(id).collect();
        assert!(ids.is_sorted(), "{ids:?}");
    }

    #[test]
    fn two_interim_updates_have_different_event_ids() {
        let interim = |second: u8| {
            read(&[
                NAS,
                USER,
                SESSION,
                (STATUS_TYPE, &[0, 0, 0, 3]),
                (SESSION_TIME, &[0, 0, 0, second]),
            ])
        };
        assert_ne!(interim(1).event_id, interim(2).event_id);
    }

    #[test]
    fn accounting_on_is_a_restart_of_the_address_of_the_nas() {
        let on = read(&[
            (NAS_IP_ADDRESS, &[192, 0, 2, 1]),
            (STATUS_TYPE, &[0, 0, 0, 7]),
        ]);
        assert_eq!(
            (on.kind.as_deref(), &on.session_id),
            (Some("restart"), &None)
        );
    }

    #[test]
    fn error_names_missing_or_invalid_attribute() {
        let refused = |attributes: &[(u8, &[u8])]| {
            raw_event(&request(attributes), Timestamp::UNIX_EPOCH)
                .expect_err("a field error")
                .to_string()
        };
        assert_eq!(
            refused(&[USER]),
            "Acct-Status-Type is missing; it must be Start (1), Stop (2), Interim-Update (3), \
             Accounting-On (7) or Accounting-Off (8)"
        );
        assert_eq!(
            refused(&[(STATUS_TYPE, &[1])]),
            "Acct-Status-Type must have 4 bytes (got 1)"
        );
        assert!(refused(&[(STATUS_TYPE, &[0, 0, 0, 9]), NAS]).ends_with("(got 9)"));
        assert_eq!(
            refused(&[(STATUS_TYPE, &[0, 0, 0, 1])]),
            "NAS-Identifier is missing; it must be present unless NAS-IP-Address is"
        );
        assert_eq!(
            refused(&[(STATUS_TYPE, &[0, 0, 0, 1]), NAS, USER]),
            "Acct-Session-Id is missing; it must be a text of 1 to 253 bytes"
        );
        assert_eq!(
            refused(&[
                (STATUS_TYPE, &[0, 0, 0, 1]),
                NAS,
                SESSION,
                (USER_NAME, b"\xff")
            ]),
            "User-Name is not UTF-8"
        );
    }
}
