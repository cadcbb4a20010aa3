//! Counts of lines, and the sessions that their events make.

use std::collections::{BTreeMap, HashMap};

use jiff::SignedDuration;
use rollcall_attendance::{
    correlation::{self, Correlated},
    event::{Event, Fact, Kind},
    session::Session,
};
use serde_json::{Map, Value, json};

use super::masked::masked;
use crate::output::{Output, Section};

/// Number of the commonest lines and reasons that are shown.
const COMMONEST: usize = 10;
/// Maximum number of sessions that are shown without `--all`.
const MAX_SESSIONS: usize = 20;
/// Maximum number of different masked lines, because a file of any size may be given.
const MAX_MASKS: usize = 10_000;

/// Result of applying the rules to the lines of a file.
pub struct Report {
    shows_all: bool,
    lines: u64,
    event_lines: u64,
    ignored: u64,
    unmatched: Commonest,
    rejected: Commonest,
    /// Names that name rules change.
    names: Commonest,
    rules: BTreeMap<String, Taken>,
    /// Sessions that the gateway names by an ID.
    sessions: BTreeMap<String, Session>,
    /// Events by their correlation key.
    correlated: BTreeMap<String, Vec<Correlated>>,
    session_timeout: SignedDuration,
    events: Vec<Value>,
}

/// Lines that a rule takes.
#[derive(Default)]
struct Taken {
    lines: u64,
    ignored: u64,
    kinds: BTreeMap<&'static str, u64>,
}

/// Texts with the number of lines that have them and the first of these lines.
#[derive(Default)]
struct Commonest {
    lines: u64,
    texts: HashMap<String, (u64, usize)>,
}

impl Report {
    pub fn new(shows_all: bool, session_timeout: SignedDuration) -> Self {
        Self {
            shows_all,
            lines: 0,
            event_lines: 0,
            ignored: 0,
            unmatched: Commonest::default(),
            rejected: Commonest::default(),
            names: Commonest::default(),
            rules: BTreeMap::new(),
            sessions: BTreeMap::new(),
            correlated: BTreeMap::new(),
            session_timeout,
            events: Vec::new(),
        }
    }

    pub fn add_events(&mut self, line: usize, rule: String, events: Vec<Event>) {
        self.lines += 1;
        self.event_lines += 1;
        if self.shows_all {
            let rows = events.iter().map(|event| row(line, &rule, event));
            self.events.extend(rows);
        }
        let taken = self.rules.entry(rule).or_default();
        taken.lines += 1;
        for event in &events {
            *taken.kinds.entry(kind(event)).or_default() += 1;
            if let Some(change) = change_of_names(event) {
                self.names.add(line, change);
            }
        }
        for event in events {
            self.add_to_session(event);
        }
    }

    fn add_to_session(&mut self, event: Event) {
        let Some(session) = Session::of(&event) else {
            return;
        };
        if let Some(key) = event.correlation_key() {
            self.correlated
                .entry(key.to_owned())
                .or_default()
                .push(Correlated {
                    event_id: event.event_id,
                    part: session,
                });
        } else if let Some(id) = event.session_id() {
            let merged = match self.sessions.remove(id) {
                Some(known) => known.merge(session),
                None => session,
            };
            self.sessions.insert(id.to_owned(), merged);
        }
    }

    /// Returns all sessions by their IDs.
    fn sessions(&mut self) -> BTreeMap<String, Session> {
        let mut sessions = std::mem::take(&mut self.sessions);
        for (key, mut events) in std::mem::take(&mut self.correlated) {
            // A line that occurs twice is one event.
            events.sort_by(|a, b| a.event_id.cmp(&b.event_id));
            events.dedup_by(|a, b| a.event_id == b.event_id);
            let groups = correlation::sessions(&key, None, events, self.session_timeout);
            sessions.extend(
                groups
                    .into_iter()
                    .map(|group| (group.session_id, group.session)),
            );
        }
        sessions
    }

    pub fn add_ignored(&mut self, rule: String) {
        self.lines += 1;
        self.ignored += 1;
        let taken = self.rules.entry(rule).or_default();
        taken.lines += 1;
        taken.ignored += 1;
    }

    pub fn add_unmatched(&mut self, number: usize, line: &str) {
        self.lines += 1;
        self.unmatched.add(number, masked(line));
    }

    pub fn add_rejected(&mut self, number: usize, reason: String) {
        self.lines += 1;
        self.rejected.add(number, reason);
    }

    pub fn output(mut self) -> Output {
        let all_sessions = self.sessions();
        let fields = json!({
            "lines": self.lines,
            "event_lines": share(self.event_lines, self.lines),
            "ignored_lines": share(self.ignored, self.lines),
            "unmatched_lines": share(self.unmatched.lines, self.lines),
            "rejected_lines": share(self.rejected.lines, self.lines),
            "sessions_found": all_sessions.len(),
        });
        let rules = self
            .rules
            .iter()
            .map(|(name, taken)| taken.row(name))
            .collect();
        let shown = if self.shows_all {
            usize::MAX
        } else {
            MAX_SESSIONS
        };
        let sessions = all_sessions.iter().take(shown).map(session_row).collect();
        let has_rejected = self.rejected.lines > 0;
        let mut sections = vec![
            Section::new("rules", "Rules that took lines", rules),
            Section::new(
                "names",
                "Commonest names that the name rules change",
                self.names.rows("change"),
            ),
            Section::new("sessions", "Sessions, as far as these lines tell", sessions),
            Section::new("events", "Events", self.events),
            Section::new(
                "unmatched",
                "Commonest lines that no rule took",
                self.unmatched.rows("text"),
            ),
            Section::new(
                "rejected",
                "Lines that are refused",
                self.rejected.rows("reason"),
            ),
        ];
        if !self.shows_all {
            sections.retain(|section| section.name != "events");
        }
        let hidden = all_sessions.len().saturating_sub(shown);
        let output = Output::sections(fields, sections).failed_if(has_rejected);
        if hidden > 0 {
            return output.note(&format!("{hidden} more sessions: add --all."));
        }
        output
    }
}

impl Taken {
    fn row(&self, name: &str) -> Value {
        let mut row = Map::new();
        row.insert("rule".into(), name.into());
        row.insert("lines".into(), self.lines.into());
        for kind in ["login", "derived login", "active", "logout", "restart"] {
            let number = self.kinds.get(kind);
            row.insert(kind.replace(' ', "_"), number.copied().into());
        }
        let ignored = (self.ignored > 0).then_some(self.ignored);
        row.insert("ignored".into(), ignored.into());
        row.into()
    }
}

impl Commonest {
    fn add(&mut self, line: usize, text: String) {
        self.lines += 1;
        if self.texts.len() < MAX_MASKS || self.texts.contains_key(&text) {
            self.texts.entry(text).or_insert((0, line)).0 += 1;
        }
    }

    fn rows(self, name: &str) -> Vec<Value> {
        let mut texts: Vec<_> = self.texts.into_iter().collect();
        texts.sort_by_key(|(_, (number, first))| (std::cmp::Reverse(*number), *first));
        texts.truncate(COMMONEST);
        let row =
            |(text, (number, first))| json!({"lines": number, "first_line": first, name: text});
        texts.into_iter().map(row).collect()
    }
}

/// Returns a number with its share of all lines.
fn share(number: u64, lines: u64) -> String {
    let per_mille = (number * 1000).checked_div(lines).unwrap_or(0);
    format!("{number} ({}.{} %)", per_mille / 10, per_mille % 10)
}

/// Returns the names as reported and as recorded, if name rules changed them.
fn change_of_names(event: &Event) -> Option<String> {
    let reported = event.reported_names.as_ref()?;
    let (user, realm) = event.names()?;
    let named = |user: &str, realm: Option<&str>| match realm {
        Some(realm) => format!("{user} (realm {realm})"),
        None => user.to_owned(),
    };
    let before = named(&reported.user, reported.realm.as_deref());
    Some(format!("{before} -> {}", named(user, realm)))
}

fn kind(event: &Event) -> &'static str {
    match &event.fact {
        Fact::Restart => "restart",
        Fact::Session { kind, .. } => match kind {
            Kind::Login => "login",
            Kind::DerivedLogin => "derived login",
            Kind::Active => "active",
            Kind::Logout => "logout",
        },
    }
}

fn row(line: usize, rule: &str, event: &Event) -> Value {
    let (user, realm) = event.names().unwrap_or_default();
    let evidence = &event.evidence;
    json!({
        "line": line,
        "rule": rule,
        "type": kind(event),
        "occurred_at": event.occurred_at,
        "user": user,
        "realm": realm,
        "session_id": event.session_id(),
        "correlation_key": event.correlation_key(),
        "wan_ip": evidence.wan_ip,
        "client_ip": evidence.client_ip,
        "device": evidence.device,
        "display_name": evidence.display_name,
        "duration_seconds": evidence.duration_seconds,
        "active_seconds": evidence.active_seconds,
        "reason": evidence.reason,
    })
}

fn session_row((session_id, session): (&String, &Session)) -> Value {
    let is_ended = session.logout_at == Some(session.last_activity_at);
    let person = session.owner.as_ref().map(|owner| &owner.person);
    json!({
        "session_id": session_id,
        "user": person.map(|person| &person.user),
        "realm": person.map(|person| &person.realm),
        "login_at": session.login.map(|login| login.at),
        "logout_at": session.logout_at.filter(|_| is_ended),
        "last_activity_at": session.last_activity_at,
    })
}
