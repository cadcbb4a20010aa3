//! Changes settings of a source.

use jiff::{SignedDuration, tz::TimeZone};
use rollcall_store::{
    Pool,
    sources::{self, Change},
};
use serde_json::json;

use super::unknown;
use crate::{change, failure::CommandError, output::Output};

/// Maximum of `--assume-complete-after`, which is 366 days.
const MAX_ASSUME_SECONDS: i32 = 366 * 24 * 60 * 60;

/// A value, or none to remove the setting.
#[derive(Debug, Clone)]
pub struct Setting<T>(pub Option<T>);

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

/// Parses a duration, as a number of seconds or with a unit. 0 removes the setting.
pub fn assume_complete_after(text: &str) -> Result<Setting<i32>, String> {
    let seconds = text.parse().ok().map(SignedDuration::from_secs);
    let duration = seconds.or_else(|| text.parse::<SignedDuration>().ok());
    match duration.map(|duration| i32::try_from(duration.as_secs())) {
        Some(Ok(0)) => Ok(Setting(None)),
        Some(Ok(seconds @ 1..=MAX_ASSUME_SECONDS)) => Ok(Setting(Some(seconds))),
        _ => Err(format!(
            "must be a number of seconds from 0 to {MAX_ASSUME_SECONDS}, or a duration such as 24h"
        )),
    }
}

pub async fn set(pool: &Pool, name: &str, values: &Change) -> Result<Output, CommandError> {
    if *values == Change::default() {
        return Err(CommandError::Usage(
            "Give --time-zone, --interim-interval, --assume-complete-after or --imports-only."
                .into(),
        ));
    }
    let known = change(pool, "source.set", name, async |connection| {
        sources::set(connection, name, values).await
    });
    known.await?.then_some(()).ok_or_else(|| unknown(name))?;
    Ok(Output::one(
        json!({"name": name}),
        &effects(values).join("\n"),
    ))
}

/// Returns a sentence for each setting that was changed.
fn effects(values: &Change) -> Vec<&'static str> {
    let effects = [
        (
            values.time_zone.is_some(),
            "Time zone updated. It takes effect within 5 seconds, for new events.",
        ),
        (
            values.interim_seconds.is_some(),
            "Interim interval updated. It takes effect within 5 seconds, for new events.",
        ),
        (
            values.assume_complete_seconds.is_some(),
            "Completeness updated. It takes effect at once, for the status of all rows.",
        ),
        (
            values.imports_only.is_some(),
            "Imports-only updated. It takes effect at once, for the status of all rows.",
        ),
    ];
    let changed = effects.into_iter().filter(|(is_changed, _)| *is_changed);
    changed.map(|(_, sentence)| sentence).collect()
}
