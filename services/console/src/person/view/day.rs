//! A day of a person: each session, why it begins and ends when it does, and its events.

use jiff::SignedDuration;
use maud::{Markup, html};
use rollcall_attendance::row::EndReason;
use rollcall_store::{
    events::EventOfSession,
    sessions::{Cause, ListedSession},
};

use super::View;
use crate::{
    elements,
    person::evidence::{self, End, Kind},
    times::Times,
};

/// Maximum number of sessions of a day, and of events of a session, that the page shows.
pub const MAX_SESSIONS: u32 = 50;
/// See [`MAX_SESSIONS`].
pub const MAX_EVENTS: u32 = 500;

/// A session with its events.
pub struct Evidence {
    session: ListedSession,
    /// The first events, in the order of their times.
    events: Vec<EventOfSession>,
    /// True if the session has more events than those.
    has_more_events: bool,
    /// Sentences that explain the beginning and the end of the session.
    sentences: Vec<String>,
}

impl Evidence {
    /// Explains a session. `events` may have one event more than the page shows.
    #[must_use]
    pub fn new(
        session: ListedSession,
        mut events: Vec<EventOfSession>,
        cause: Option<&Cause>,
        timeout: SignedDuration,
        times: &Times,
    ) -> Self {
        let has_more_events = events.len() > MAX_EVENTS as usize;
        events.truncate(MAX_EVENTS as usize);
        // The number of activity events and the latest one are unknown if some were not read.
        let known: Vec<_> = events
            .iter()
            .map(event)
            .filter(|event| !has_more_events || event.kind != Kind::Active)
            .collect();
        let explained = evidence::Session {
            source: &session.source,
            login_at: session.login_at,
            login_derived: session.login_derived,
            last_activity_at: session.last_activity_at,
            end: end(&session, cause, timeout),
        };
        let sentences = evidence::explain(&explained, &known, times);
        Self {
            session,
            events,
            has_more_events,
            sentences,
        }
    }
}

fn end(session: &ListedSession, cause: Option<&Cause>, timeout: SignedDuration) -> End {
    let reason = session.end_reason.as_deref().and_then(EndReason::parse);
    match reason {
        None => End::Open,
        Some(EndReason::Logout) => End::Logout,
        Some(EndReason::Restart) => {
            let restarted_at = cause.and_then(|cause| cause.restarted_at);
            End::Restart(restarted_at.unwrap_or(session.last_activity_at))
        }
        Some(EndReason::Timeout) => match cause.and_then(|cause| cause.announced_at) {
            Some(announced_at) => End::Announced(announced_at),
            None => End::Silence(timeout),
        },
    }
}

fn event(event: &EventOfSession) -> evidence::Event<'_> {
    evidence::Event {
        kind: match event.kind.as_str() {
            "login" if event.is_derived => Kind::DerivedLogin,
            "login" => Kind::Login,
            "logout" => Kind::Logout,
            _ => Kind::Active,
        },
        occurred_at: event.occurred_at,
        received_at: event.received_at,
        reason: event.reason.as_deref(),
        clock_skewed: event.clock_skewed,
        imported: event.import.is_some(),
    }
}

/// Returns the day.
pub(super) fn day(view: &View) -> Markup {
    let (times, date) = (view.times, view.query.date);
    html! {
        section #day aria-labelledby="day-title" {
            h2 id="day-title" { (times.weekday(date)) ", " (times.date(date)) }
            @if view.evidence.is_empty() {
                p { (view.text("person.no_sessions")) }
            }
            @if view.evidence.len() == MAX_SESSIONS as usize {
                p { (times.say("person.too_many_sessions", &[("count", &MAX_SESSIONS.to_string())])) }
            }
            @for (index, evidence) in view.evidence.iter().enumerate() {
                (session(view, evidence, index))
            }
        }
    }
}

fn session(view: &View, evidence: &Evidence, index: usize) -> Markup {
    let session = &evidence.session;
    let times = view.times;
    let start = session
        .login_at
        .map_or_else(|| "?".to_owned(), |at| times.short(at));
    let end = session
        .ended_at
        .map_or_else(|| "…".to_owned(), |at| times.short(at));
    html! {
        article.session {
            h3 {
                (start) "–" (end) " "
                span.muted { (view.text("attendance.source")) " " bdi { (session.source) } }
            }
            @for sentence in &evidence.sentences { p { (sentence) } }
            details {
                summary { (times.say("person.events", &[("count", &evidence.events.len().to_string())])) }
                (events(view, evidence, index))
            }
        }
    }
}

fn events(view: &View, evidence: &Evidence, index: usize) -> Markup {
    let text = |key| view.text(key);
    html! {
        (elements::scrolling(&format!("{} {}", text("person.event"), index + 1), &html! {
            table {
                caption {
                    @if evidence.has_more_events { (text("person.first_events")) }
                    @else { (text("person.all_events")) }
                }
                thead {
                    tr {
                        th scope="col" { (text("person.occurred")) }
                        th scope="col" { (text("person.event")) }
                        th scope="col" { (text("person.received")) }
                        th scope="col" { (text("person.receiver")) }
                        th scope="col" { (text("person.details")) }
                    }
                }
                tbody { @for event in &evidence.events { (line(view, event)) } }
            }
        }))
    }
}

fn line(view: &View, event: &EventOfSession) -> Markup {
    let times = view.times;
    html! {
        tr {
            th.time scope="row" { (times.short(event.occurred_at)) }
            td { (view.text(kind(event))) }
            td.time { (times.short(event.received_at)) }
            td { (event.receiver) @if let Some(file) = &event.import { " " bdi { (file) } } }
            td {
                dl.inline {
                    @for (name, value) in details(event) {
                        dt { (view.text(name)) } dd { bdi { (value) } }
                    }
                }
            }
        }
    }
}

fn kind(event: &EventOfSession) -> &'static str {
    match event.kind.as_str() {
        "login" if event.is_derived => "person.derived_login",
        "login" => "person.login",
        "logout" => "person.logout",
        _ => "person.active",
    }
}

/// Returns other fields of the event: its names as reported, addresses and reason.
fn details(event: &EventOfSession) -> Vec<(&'static str, String)> {
    let seconds = |seconds: Option<i64>| seconds.map(crate::times::length_of);
    let optional = [
        ("person.user", event.reported_user.clone()),
        ("attendance.realm", event.reported_realm.clone()),
        ("person.reason", event.reason.clone()),
        ("person.display_name", event.display_name.clone()),
        ("person.client_ip", event.client_ip.clone()),
        ("person.wan_ip", event.wan_ip.clone()),
        ("person.mac", event.mac.clone()),
        ("person.device", event.device.clone()),
        ("person.duration", seconds(event.duration_seconds)),
        ("person.active_time", seconds(event.active_seconds)),
    ];
    optional
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}
