//! The reasons in words for which a row is provisional.

use std::slice;

use jiff::Timestamp;
use rollcall_attendance::{
    completeness::{Completeness, Source},
    row::AttendanceRow,
};

use crate::times::Times;

/// Maximum number of sources that are named.
const MAX_SOURCES: usize = 10;

/// Returns a sentence for each reason for which a row is provisional. `day_end` is the end of the
/// row's reporting day. `sources` are those that count for completeness, by name.
#[must_use]
pub fn reasons(
    row: &AttendanceRow,
    day_end: Timestamp,
    sources: &[(String, Source)],
    now: Timestamp,
    times: &Times,
) -> Vec<String> {
    let open = (row.open_sessions > 0).then(|| times.say("provisional.open", &[]));
    let end = row.last_logout_at.map_or(day_end, |last| last.max(day_end));
    let others = if end > now {
        vec![times.say("provisional.not_ended", &[("at", &times.moment(end))])]
    } else {
        incomplete(end, sources, now, times)
    };
    open.into_iter().chain(others).collect()
}

/// Returns a sentence for each source that has not reported everything up to `end`.
fn incomplete(
    end: Timestamp,
    sources: &[(String, Source)],
    now: Timestamp,
    times: &Times,
) -> Vec<String> {
    let lacks = |source: &Source| !Completeness::new(slice::from_ref(source), now).covers(end);
    let lacking: Vec<_> = sources
        .iter()
        .filter(|(_, source)| lacks(source))
        .map(|(name, source)| sentence(name, source.complete_through(now), times))
        .collect();
    let more = lacking.len().saturating_sub(MAX_SOURCES);
    let more = (more > 0).then(|| times.say("provisional.more", &[("count", &more.to_string())]));
    lacking.into_iter().take(MAX_SOURCES).chain(more).collect()
}

fn sentence(source: &str, complete_through: Option<Timestamp>, times: &Times) -> String {
    let source = ("source", source);
    match complete_through {
        Some(at) => times.say("provisional.source", &[source, ("at", &times.moment(at))]),
        None => times.say("provisional.source_never", &[source]),
    }
}

#[cfg(test)]
mod tests {
    use jiff::{civil::date, tz::TimeZone};

    use super::*;
    use crate::messages::Language;

    #[test]
    fn sources_beyond_the_first_ten_are_counted() {
        let at = |second| Timestamp::from_second(second).expect("an instant");
        let source = Source {
            created_at: at(0),
            disabled_at: None,
            complete_through: None,
            assume_complete_after: None,
        };
        let sources: Vec<_> = (0..13)
            .map(|number| (format!("gw-{number}"), source.clone()))
            .collect();
        let times = Times {
            language: Language::English,
            zone: TimeZone::UTC,
            day: date(1970, 1, 1),
        };
        let sentences = incomplete(at(60), &sources, at(120), &times);
        assert_eq!(sentences.len(), MAX_SOURCES + 1);
        assert!(sentences[0].starts_with("The source gw-0 has not yet said"));
        assert_eq!(
            sentences[MAX_SOURCES],
            "Further sources that are not complete: 3."
        );
    }
}
