//! The sentence that says what an exception is.

use jiff::SignedDuration;
use rollcall_store::exceptions::{Exception, Kind};

use crate::v2::local_times::LocalTimes;

/// Returns a sentence in plain English. Its times are in the zone of `times`.
pub fn detail(exception: &Exception, times: &mut LocalTimes) -> String {
    let number = exception.number.unwrap_or_default();
    let source = exception.source.as_deref().unwrap_or_default();
    let other = exception.other.as_deref().unwrap_or_default();
    let other_at = exception
        .other_at
        .map(|at| times.show(at).to_string())
        .unwrap_or_default();
    match exception.kind {
        Kind::ClosedByRestart => format!(
            "The source {source} restarted, so the session ended without a logout. Its end is its \
             last activity."
        ),
        Kind::ClosedByTimeout => "No logout arrived and the session was silent for too long. Its \
            end is its last activity."
            .to_owned(),
        Kind::LogoutWithoutLogin => {
            "A logout arrived and no login, so the session is in no report.".to_owned()
        }
        Kind::OpenLongerThanADay if other.is_empty() => {
            format!("The session has been open for {}.", duration(number))
        }
        Kind::OpenLongerThanADay => format!("The session lasted {}.", duration(number)),
        Kind::TwoSourcesAtOnce => format!(
            "The person logged in through {source} while connected through {other} since {other_at}."
        ),
        Kind::TwoRealmsAtOnce => {
            format!("The user logged in while connected in the realm {other} since {other_at}.")
        }
        Kind::PersonWithoutEmployee => format!(
            "The person is mapped to no employee on this day, on which {}.",
            counted(number, "session began", "sessions began")
        ),
        Kind::DayNotComplete if other_at.is_empty() => {
            format!("The source {source} has never reported that it is complete.")
        }
        Kind::DayNotComplete => format!(
            "The source {source} is complete through {other_at} and not through the end of the day."
        ),
        Kind::ChangedAfterFinal => format!(
            "The source {source} had already counted as complete when {} for this day. Rows that \
             were final may have changed.",
            counted(number, "event arrived", "events arrived")
        ),
        Kind::ClockSkew => format!(
            "The source {source} sent {} far from the time of arrival. It delivered late, or its \
             clock is wrong.",
            counted(number, "event with a time", "events with a time")
        ),
    }
}

fn counted(number: i64, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}

fn duration(seconds: i64) -> String {
    let minutes = SignedDuration::from_secs(seconds).as_mins();
    format!("{} h {} min", minutes / 60, minutes % 60)
}
