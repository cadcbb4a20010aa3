//! Details of an event.

use std::net::IpAddr;

use jiff::Timestamp;
use rollcall_wire::quote::quoted;
use serde::Serialize;

use super::{Arrival, FieldError, RawEvent, parse::optional};

/// Details of an event that do not affect the times of its session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// Reason in the words of the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Name of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// IP address that the gateway gave to the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ip: Option<IpAddr>,
    /// IP address from which the client connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wan_ip: Option<IpAddr>,
    /// Hardware address of the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// Name of the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Seconds of the session so far without idle time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_seconds: Option<i64>,
    /// Seconds of the session so far. In a logout they give the derived login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<i64>,
    /// Seconds until the next activity event of the session is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_in_seconds: Option<i64>,
    /// Time of the latest activity, which the gateway states in a logout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_activity_at: Option<Timestamp>,
    /// RADIUS Class (RFC 2865, section 5.25).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
}

impl Evidence {
    /// Takes the details out of a raw event and validates them.
    pub(super) fn parse(raw: &mut RawEvent, arrival: &Arrival) -> Result<Self, FieldError> {
        Ok(Self {
            reason: optional("reason", raw.reason.take())?,
            display_name: optional("display_name", raw.display_name.take())?,
            client_ip: address("client_ip", raw.client_ip.take())?,
            wan_ip: address("wan_ip", raw.wan_ip.take())?,
            mac: optional("mac", raw.mac.take())?,
            device: optional("device", raw.device.take())?,
            active_seconds: seconds("active_seconds", raw.active_seconds)?,
            duration_seconds: seconds("duration_seconds", raw.duration_seconds)?,
            next_in_seconds: seconds("next_in_seconds", raw.next_in_seconds)?,
            last_activity_at: arrival.optional("last_activity_at", raw.last_activity_at.take())?,
            class: optional("class", raw.class.take())?,
        })
    }
}

fn address(field: &'static str, value: Option<String>) -> Result<Option<IpAddr>, FieldError> {
    let Some(value) = optional(field, value)? else {
        return Ok(None);
    };
    value.parse().map(Some).map_err(|_| {
        let message = format!("must be an IPv4 or IPv6 address (got {})", quoted(&value));
        FieldError::new(field, message)
    })
}

fn seconds(field: &'static str, value: Option<i64>) -> Result<Option<i64>, FieldError> {
    match value {
        Some(value) if value < 0 => {
            let message = format!("must be a number of seconds from 0 (got {value})");
            Err(FieldError::new(field, message))
        }
        value => Ok(value),
    }
}
