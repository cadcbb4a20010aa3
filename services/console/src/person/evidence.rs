//! The events behind a session, in words.

use jiff::{SignedDuration, Timestamp};

use crate::times::Times;

/// An event that arrives later than this after it occurred is called late.
const LATE: SignedDuration = SignedDuration::from_hours(1);

/// A session as its row shows it.
#[derive(Debug, Clone, Copy)]
pub struct Session<'a> {
    /// Name of the source.
    pub source: &'a str,
    /// Login time. None if no login has arrived.
    pub login_at: Option<Timestamp>,
    /// True if the login is computed from the session duration.
    pub login_derived: bool,
    /// Time of the latest event.
    pub last_activity_at: Timestamp,
    /// End of the session.
    pub end: End,
}

/// End of a session, with its cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The session is open.
    Open,
    /// The source reported the logout.
    Logout,
    /// The source restarted at this time.
    Restart(Timestamp),
    /// There was no activity for this long.
    Silence(SignedDuration),
    /// The source announced an activity for this time, which did not come.
    Announced(Timestamp),
}

/// An event of the session.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// Kind of the event.
    pub kind: Kind,
    /// When the event occurred.
    pub occurred_at: Timestamp,
    /// When the event arrived.
    pub received_at: Timestamp,
    /// Reason that the source gave.
    pub reason: Option<&'a str>,
    /// True if the time of the event was far from the time of its arrival.
    pub clock_skewed: bool,
    /// True if the event was imported.
    pub imported: bool,
}

/// Kind of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Login.
    Login,
    /// Login computed from the session duration in a logout.
    DerivedLogin,
    /// Activity.
    Active,
    /// Logout.
    Logout,
}

/// Returns sentences that say why the session begins and ends when it does. `events` are in the
/// order of their times.
#[must_use]
pub fn explain(session: &Session, events: &[Event], times: &Times) -> Vec<String> {
    [
        Some(login(session, events, times)),
        activity(events, times),
        overruled_logout(session, events, times),
        Some(end(session, events, times)),
        late(Kind::Login, "evidence.late_login", events, times),
        late(Kind::Logout, "evidence.late_logout", events, times),
        skewed(session, events, times),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn login(session: &Session, events: &[Event], times: &Times) -> String {
    let Some(at) = session.login_at else {
        return times.say("evidence.no_login", &[]);
    };
    let at = times.moment(at);
    let logins = of(events, Kind::Login).count();
    let key = match (session.login_derived, logins) {
        (true, _) => "evidence.derived_login",
        (false, 0 | 1) => "evidence.login",
        (false, _) => "evidence.several_logins",
    };
    let count = logins.to_string();
    times.say(
        key,
        &[("source", session.source), ("at", &at), ("count", &count)],
    )
}

fn activity(events: &[Event], times: &Times) -> Option<String> {
    let count = of(events, Kind::Active).count();
    let at = times.moment(of(events, Kind::Active).last()?.occurred_at);
    let key = match count {
        1 => "evidence.activity",
        _ => "evidence.activities",
    };
    Some(times.say(key, &[("count", &count.to_string()), ("at", &at)]))
}

/// A logout after which the session continued.
fn overruled_logout(session: &Session, events: &[Event], times: &Times) -> Option<String> {
    let logout = of(events, Kind::Logout).last()?;
    (session.end != End::Logout && logout.occurred_at < session.last_activity_at).then(|| {
        let at = times.moment(logout.occurred_at);
        times.say(
            "evidence.overruled_logout",
            &[("source", session.source), ("at", &at)],
        )
    })
}

fn end(session: &Session, events: &[Event], times: &Times) -> String {
    let last = times.moment(session.last_activity_at);
    let source = ("source", session.source);
    let last = ("last", last.as_str());
    let say = |key, name, value: &str| times.say(key, &[source, last, (name, value)]);
    match session.end {
        End::Open => say("evidence.open", "", ""),
        End::Logout => match of(events, Kind::Logout)
            .last()
            .and_then(|logout| logout.reason)
        {
            Some(reason) => say("evidence.logout_with_reason", "reason", reason),
            None => say("evidence.logout", "", ""),
        },
        End::Restart(at) => say("evidence.restart", "at", &times.moment(at)),
        End::Silence(length) => say("evidence.silence", "length", &times.length(length)),
        End::Announced(at) => say("evidence.announced", "at", &times.moment(at)),
    }
}

/// An event that arrived late. The events of an import are always late.
fn late(kind: Kind, key: &'static str, events: &[Event], times: &Times) -> Option<String> {
    let event = of(events, kind).find(|event| !event.imported)?;
    let delay = event.received_at.duration_since(event.occurred_at);
    (delay > LATE).then(|| {
        let (at, delay) = (times.moment(event.received_at), times.length(delay));
        times.say(key, &[("at", &at), ("delay", &delay)])
    })
}

fn skewed(session: &Session, events: &[Event], times: &Times) -> Option<String> {
    let skewed = |event: &&Event| event.clock_skewed && !event.imported;
    events
        .iter()
        .any(|event| skewed(&event))
        .then(|| times.say("evidence.skewed", &[("source", session.source)]))
}

fn of<'a>(events: &'a [Event<'a>], kind: Kind) -> impl DoubleEndedIterator<Item = &'a Event<'a>> {
    events.iter().filter(move |event| event.kind == kind)
}

#[cfg(test)]
mod tests;
