//! What an Accounting-Request says of a session (RFC 2866 section 5, RFC 2869 sections 2.1 and 5.3).

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

/// RFC 2866 section 5.10, from 1.
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

/// The events of a request that arrived at `received_at`: one, or for a Stop with its length also the login derived from it.
///
/// Ids are made of what stays the same when a gateway sends again with another Acct-Delay-Time.
///
/// # Errors
/// An attribute is missing or bad, by its name.
pub fn raw_events(request: &Request, received_at: Timestamp) -> Result<Vec<RawEvent>, FieldError> {
    let status = required(request, STATUS_TYPE, "Acct-Status-Type")
        .and_then(|value| number("Acct-Status-Type", value))?;
    let kind = match status {
        1 => "login",
        2 => "logout",
        3 => "active",
        7 | 8 => "restart",
        other => {
            let message = format!(
                "got {other}, takes Start (1), Stop (2), Interim-Update (3), Accounting-On (7) or Accounting-Off (8)"
            );
            return Err(FieldError::new("Acct-Status-Type", message));
        }
    };
    let nas = nas(request)?;
    let second = optional_number(request, EVENT_TIMESTAMP, "Event-Timestamp")?.map(i64::from);
    let occurred_at = occurred_at(request, second, received_at)?;
    let length = optional_number(request, SESSION_TIME, "Acct-Session-Time")?;
    if kind == "restart" {
        let id = made_event_id("radius", second, &[&nas, kind, &moment(request)]);
        let raw = RawEvent {
            event_id: Some(id),
            kind: Some(kind.into()),
            occurred_at: Some(occurred_at.to_string()),
            ..RawEvent::default()
        };
        return Ok(vec![raw]);
    }
    let session = text(
        "Acct-Session-Id",
        required(request, SESSION_ID, "Acct-Session-Id")?,
    )?;
    let progress = match length {
        _ if second.is_some() => moment(request),
        Some(length) => length.to_string(),
        // There is one Start: its session names it.
        None if kind == "login" => String::new(),
        None => moment(request),
    };
    let id = made_event_id("radius", second, &[&nas, kind, &session, &progress]);
    let stated = RawEvent {
        event_id: Some(id.clone()),
        kind: Some(kind.into()),
        session_id: Some(format!("{nas}/{session}")),
        user: Some(text(
            "User-Name",
            required(request, USER_NAME, "User-Name")?,
        )?),
        occurred_at: Some(occurred_at.to_string()),
        active_seconds: length.map(i64::from),
        ..evidence(request, kind)?
    };
    let derived = length.filter(|_| kind == "logout").map(|length| RawEvent {
        event_id: Some(format!("{id}-login")),
        kind: Some("login".into()),
        derived: true,
        occurred_at: Some((occurred_at - SignedDuration::from_secs(length.into())).to_string()),
        reason: None,
        active_seconds: None,
        ..stated.clone()
    });
    Ok(derived.into_iter().chain([stated]).collect())
}

/// By what the gateway calls itself, or by its address.
fn nas(request: &Request) -> Result<String, FieldError> {
    if let Some(name) = request.first(NAS_IDENTIFIER) {
        return text("NAS-Identifier", name);
    }
    let address = request
        .first(NAS_IP_ADDRESS)
        .or_else(|| request.first(NAS_IPV6_ADDRESS));
    let address = address
        .ok_or_else(|| FieldError::new("NAS-Identifier", "is missing, as is NAS-IP-Address"))?;
    address_of("NAS-IP-Address", address).map(|address| address.to_string())
}

/// Event-Timestamp says it; without one it is the arrival less the time that the gateway has tried for.
fn occurred_at(
    request: &Request,
    second: Option<i64>,
    received_at: Timestamp,
) -> Result<Timestamp, FieldError> {
    if let Some(second) = second {
        return Timestamp::from_second(second).map_err(|_| {
            FieldError::new(
                "Event-Timestamp",
                format!("got {second}, takes seconds since 1970"),
            )
        });
    }
    let delay = optional_number(request, DELAY_TIME, "Acct-Delay-Time")?.unwrap_or_default();
    received_at
        .checked_sub(SignedDuration::from_secs(delay.into()))
        .map_err(|_| FieldError::new("Acct-Delay-Time", format!("got {delay}, takes seconds")))
}

/// What tells two reports of one kind and session apart: when it was, or the request itself.
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

fn required<'a>(
    request: &'a Request,
    kind: u8,
    name: &'static str,
) -> Result<&'a [u8], FieldError> {
    request
        .first(kind)
        .ok_or_else(|| FieldError::new(name, "is missing"))
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
        .map_err(|_| FieldError::new(name, format!("has {} bytes, takes 4", value.len())))?;
    Ok(u32::from_be_bytes(bytes))
}

fn text(name: &'static str, value: &[u8]) -> Result<String, FieldError> {
    // Some gateways end their text with a zero, as C does.
    let value = value.strip_suffix(b"\0").unwrap_or(value);
    String::from_utf8(value.to_vec()).map_err(|_| FieldError::new(name, "is not UTF-8"))
}

/// Text where it is text, else hexadecimal.
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
    let sixteen = <[u8; 16]>::try_from(value)
        .map_err(|_| FieldError::new(name, format!("has {} bytes, takes 4 or 16", value.len())))?;
    Ok(Ipv6Addr::from(sixteen).into())
}

#[cfg(test)]
mod tests {
    use super::{super::tests::request, *};

    const NAS: (u8, &[u8]) = (NAS_IDENTIFIER, b"gateway-1");
    const USER: (u8, &[u8]) = (USER_NAME, b"user_4");
    const SESSION: (u8, &[u8]) = (SESSION_ID, b"5E1F");

    fn read(attributes: &[(u8, &[u8])]) -> Vec<RawEvent> {
        raw_events(
            &request(attributes),
            "2025-01-01T10:00:00Z".parse().expect("an instant"),
        )
        .expect("raw_events")
    }

    fn times(raw_events: &[RawEvent]) -> Vec<&str> {
        raw_events
            .iter()
            .filter_map(|raw| raw.occurred_at.as_deref())
            .collect()
    }

    #[test]
    fn a_stop_tells_its_login_its_cause_and_its_evidence() {
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
        assert_eq!(
            times(&stop),
            ["2025-01-01T09:00:00Z", "2025-01-01T10:00:00Z"]
        );
        let [login, logout] = &stop[..] else {
            panic!("two raw_events")
        };
        assert_eq!(
            (
                login.kind.as_deref(),
                login.derived,
                login.reason.as_deref()
            ),
            (Some("login"), true, None)
        );
        assert_eq!(logout.session_id.as_deref(), Some("gateway-1/5E1F"));
        assert_eq!(
            (logout.reason.as_deref(), logout.active_seconds),
            (Some("Idle-Timeout"), Some(3600))
        );
        assert_eq!(
            (logout.wan_ip.as_deref(), logout.client_ip.as_deref()),
            (Some("203.0.113.5"), Some("10.8.0.2"))
        );
        assert_eq!(logout.class.as_deref(), Some("0xff01"));
    }

    #[test]
    fn sent_again_with_another_delay_it_is_the_same_event() {
        let start = |delay: u8| {
            read(&[
                NAS,
                USER,
                SESSION,
                (STATUS_TYPE, &[0, 0, 0, 1]),
                (DELAY_TIME, &[0, 0, 0, delay]),
            ])
        };
        assert_eq!(times(&start(0)), ["2025-01-01T10:00:00Z"]);
        assert_eq!(times(&start(30)), ["2025-01-01T09:59:30Z"]);
        assert_eq!(start(0)[0].event_id, start(30)[0].event_id);
    }

    #[test]
    fn ids_go_by_time_where_there_is_one() {
        let id = |second: u8| {
            let stamp: &[u8] = &[0x67, 0x75, 0x18, second];
            let raw_events = read(&[
                NAS,
                USER,
                SESSION,
                (STATUS_TYPE, &[0, 0, 0, 1]),
                (EVENT_TIMESTAMP, stamp),
            ]);
            raw_events[0].event_id.clone().expect("an id")
        };
        let ids: Vec<String> = (0..=255).map(id).collect();
        assert!(ids.is_sorted(), "{ids:?}");
    }

    #[test]
    fn two_interim_updates_are_two_events() {
        let interim = |second: u8| {
            read(&[
                NAS,
                USER,
                SESSION,
                (STATUS_TYPE, &[0, 0, 0, 3]),
                (SESSION_TIME, &[0, 0, 0, second]),
            ])
        };
        assert_ne!(interim(1)[0].event_id, interim(2)[0].event_id);
    }

    #[test]
    fn a_restart_is_of_the_gateway_and_known_by_its_address_too() {
        let on = read(&[
            (NAS_IP_ADDRESS, &[192, 0, 2, 1]),
            (STATUS_TYPE, &[0, 0, 0, 7]),
        ]);
        assert_eq!(
            (on[0].kind.as_deref(), &on[0].session_id),
            (Some("restart"), &None)
        );
    }

    #[test]
    fn what_is_missing_or_bad_is_named() {
        let refused = |attributes: &[(u8, &[u8])]| {
            raw_events(&request(attributes), Timestamp::UNIX_EPOCH)
                .expect_err("a field error")
                .to_string()
        };
        assert_eq!(refused(&[USER]), "Acct-Status-Type: is missing");
        assert_eq!(
            refused(&[(STATUS_TYPE, &[1])]),
            "Acct-Status-Type: has 1 bytes, takes 4"
        );
        assert!(
            refused(&[(STATUS_TYPE, &[0, 0, 0, 9]), NAS]).starts_with("Acct-Status-Type: got 9")
        );
        assert_eq!(
            refused(&[(STATUS_TYPE, &[0, 0, 0, 1])]),
            "NAS-Identifier: is missing, as is NAS-IP-Address"
        );
        assert_eq!(
            refused(&[(STATUS_TYPE, &[0, 0, 0, 1]), NAS, USER]),
            "Acct-Session-Id: is missing"
        );
        assert_eq!(
            refused(&[
                (STATUS_TYPE, &[0, 0, 0, 1]),
                NAS,
                SESSION,
                (USER_NAME, b"\xff")
            ]),
            "User-Name: is not UTF-8"
        );
    }
}
