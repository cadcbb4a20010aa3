//! Changes settings of a source.

use jiff::tz::TimeZone;
use rollcall_store::{
    Pool,
    sources::{self, Change},
};
use serde_json::json;

use super::unknown;
use crate::{change, failure::CommandError, output::Output};

/// A value, or none to remove the setting.
#[derive(Debug, Clone)]
pub struct Setting<T>(Option<T>);

/// Parses a time zone. `reporting` removes the setting.
pub fn time_zone(text: &str) -> Result<Setting<String>, String> {
    if text == "reporting" {
        return Ok(Setting(None));
    }
    TimeZone::get(text)
        .map(|_| Setting(Some(text.to_owned())))
        .map_err(|_| {
            "must be an IANA time zone, such as Asia/Kolkata, or the word reporting".into()
        })
}

/// Parses a number of seconds. 0 removes the setting.
pub fn interim_interval(text: &str) -> Result<Setting<i32>, String> {
    match text.parse() {
        Ok(0) => Ok(Setting(None)),
        Ok(seconds @ 1..=86_400) => Ok(Setting(Some(seconds))),
        _ => Err("must be a number of seconds from 0 to 86400".into()),
    }
}

pub async fn set(
    pool: &Pool,
    name: &str,
    time_zone: Option<Setting<String>>,
    interim_interval: Option<Setting<i32>>,
) -> Result<Output, CommandError> {
    let values = Change {
        time_zone: time_zone.map(|zone| zone.0),
        interim_seconds: interim_interval.map(|interval| interval.0),
    };
    if values.time_zone.is_none() && values.interim_seconds.is_none() {
        return Err(CommandError::Usage(
            "Give --time-zone or --interim-interval.".into(),
        ));
    }
    let known = change(pool, "source.set", name, async |connection| {
        sources::set(connection, name, &values).await
    });
    known.await?.then_some(()).ok_or_else(|| unknown(name))?;
    Ok(Output::one(
        json!({"name": name}),
        "Settings updated. The change takes effect within 5 seconds, for new events.",
    ))
}
