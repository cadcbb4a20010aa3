//! A rule.

use std::sync::Arc;

use jiff::Timestamp;
use regex::Regex;
use rollcall_attendance::event::{FieldError, RawEvent};

use super::{
    condition::{Condition, whole},
    duration::Unit,
    event::EventFields,
    file::{Aliases, BadKey, Entry, TimeEntry, Times, TypeName},
    input::{Bodies, Form, Input},
    template::Template,
    time::TimeOfField,
    values::{OF_EVERY_RECORD, Values},
};
use crate::{
    record::Record,
    syslog::{Context, Found, Matched},
};

/// A rule, which takes records and turns each into events.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    name: String,
    app: Option<Regex>,
    input: Input,
    when: Vec<Condition>,
    unless: Vec<Condition>,
    kind: TypeName,
    correlation_key: Option<Template>,
    times: Vec<TimeOfField>,
    starts: Vec<TimeOfField>,
    /// True if the time of arrival is good enough for a record without a time.
    takes_arrival: bool,
    duration: Option<(Template, Unit)>,
    fields: EventFields,
    aliases: Arc<Aliases>,
}

impl Rule {
    /// Creates a rule from its entry in a file, and the aliases of the file.
    pub(super) fn new(entry: Entry, aliases: &Arc<Aliases>) -> Result<Self, BadKey> {
        let input = Input::new(&entry)?;
        let captures = match &input {
            Input::Text(pattern) => pattern.capture_names().flatten().collect(),
            Input::Body { .. } => Vec::new(),
        };
        let is_arrival = |entry: &&TimeEntry| entry.format == "arrival";
        let times = entry.time.iter().flat_map(Times::entries);
        let starts = entry.start.iter().flat_map(Times::entries);
        let not_arrival = |entry: &&TimeEntry| !is_arrival(entry);
        let rule = Self {
            app: entry
                .app
                .as_deref()
                .map(|app| whole("app", app))
                .transpose()?,
            when: Condition::all("when", &entry.when)?,
            unless: Condition::all("unless", &entry.unless)?,
            kind: entry.r#type,
            correlation_key: template("correlation_key", entry.correlation_key.as_deref())?,
            takes_arrival: times.clone().any(|entry| is_arrival(&entry)),
            times: times
                .filter(not_arrival)
                .map(|entry| TimeOfField::new("time", entry))
                .collect::<Result<_, _>>()?,
            starts: starts
                .map(|entry| TimeOfField::new("start", entry))
                .collect::<Result<_, _>>()?,
            duration: match &entry.duration {
                Some(duration) => {
                    template("duration", Some(&duration.value))?.map(|value| (value, duration.unit))
                }
                None => None,
            },
            fields: EventFields::new(&entry.event, &captures, entry.user_forms)?,
            aliases: aliases.clone(),
            name: entry.name,
            input,
        };
        rule.check()?;
        Ok(rule)
    }

    /// Checks what the keys of a rule need of each other.
    fn check(&self) -> Result<(), BadKey> {
        let is_ignored = self.kind == TypeName::Ignore;
        let is_of_session = !is_ignored && self.kind != TypeName::Restart;
        if is_of_session && self.correlation_key.is_none() && !self.fields.has("session_id") {
            let reason = "is missing; it or event.session_id must say what in the record \
                          identifies the session";
            return Err(BadKey::new("correlation_key", reason));
        }
        if matches!(self.kind, TypeName::Login | TypeName::Session) && !self.fields.has("user") {
            let reason = "must have the field user, or pattern must have the capture (?<user>…)";
            return Err(BadKey::new("event", reason));
        }
        if (self.kind == TypeName::Session) == self.starts.is_empty() {
            let reason = "must be given if the type is session, and only then";
            return Err(BadKey::new("start", reason));
        }
        let known: Vec<&str> = match &self.input {
            Input::Text(pattern) => pattern.capture_names().flatten().collect(),
            Input::Body {
                form: Form::Csv(_),
                columns,
                ..
            } => columns.iter().map(String::as_str).collect(),
            Input::Body { .. } => return Ok(()),
        };
        for (key, name) in self.names() {
            let is_known = known.contains(&name) || self.aliases.contains_key(name);
            if !is_known && !OF_EVERY_RECORD.contains(&name) {
                let reason = format!("the record has no field {{{name}}}");
                return Err(BadKey::new(key, reason));
            }
        }
        Ok(())
    }

    /// Returns the names of the fields that the rule uses, each with the key that uses it.
    fn names(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let when = self
            .when
            .iter()
            .map(|condition| ("when", condition.template()));
        let unless = self
            .unless
            .iter()
            .map(|condition| ("unless", condition.template()));
        let times = self.times.iter().map(|time| ("time", time.template()));
        let starts = self.starts.iter().map(|time| ("start", time.template()));
        when.chain(unless)
            .chain(times)
            .chain(starts)
            .chain(
                self.correlation_key
                    .iter()
                    .map(|key| ("correlation_key", key)),
            )
            .chain(self.duration.iter().map(|(value, _)| ("duration", value)))
            .chain(self.fields.templates().map(|field| ("event", field)))
            .flat_map(|(key, template)| template.names().map(move |name| (key, name)))
    }

    /// Returns what the rule makes of a record, or `None` if the rule does not take it.
    ///
    /// # Errors
    /// The record has no time or no correlation key.
    pub(super) fn apply(
        &self,
        record: &Record,
        bodies: &mut Bodies,
        context: &Context,
    ) -> Result<Option<Found>, FieldError> {
        if self
            .app
            .as_ref()
            .is_some_and(|app| !app.is_match(record.app))
        {
            return Ok(None);
        }
        let Some(fields) = self.input.read(bodies) else {
            return Ok(None);
        };
        let values = Values {
            record,
            fields: &fields,
            aliases: &self.aliases,
        };
        if !self.when.iter().all(|condition| condition.is_met(&values)) {
            return Ok(None);
        }
        if self.kind == TypeName::Ignore
            || self
                .unless
                .iter()
                .any(|condition| condition.is_met(&values))
        {
            return Ok(Some(Found::Ignored(self.name.clone())));
        }
        self.events(&values, context).map(Found::Events).map(Some)
    }

    fn events(&self, values: &Values, context: &Context) -> Result<Vec<Matched>, FieldError> {
        let raw = self.raw_event(values, context)?;
        let at = self.time(values, context)?;
        let event = |kind: &str, at: Timestamp, raw: RawEvent| Matched {
            rule: self.name.clone(),
            raw: RawEvent {
                event_id: Some(self.event_id(&raw, values.record, at, kind)),
                kind: Some(kind.to_owned()),
                occurred_at: Some(at.to_string()),
                ..raw
            },
        };
        let kind = match self.kind {
            TypeName::Ignore => return Ok(Vec::new()),
            TypeName::Login => "login",
            TypeName::Active => "active",
            TypeName::Restart => "restart",
            TypeName::Logout | TypeName::Session => "logout",
        };
        let login = first(&self.starts, values, context).map(|start| {
            let at_logout = RawEvent {
                reason: None,
                active_seconds: None,
                duration_seconds: None,
                next_in_seconds: None,
                last_activity_at: None,
                ..raw.clone()
            };
            event("login", start, at_logout)
        });
        Ok(login.into_iter().chain([event(kind, at, raw)]).collect())
    }

    /// Returns the event without its type and time.
    fn raw_event(&self, values: &Values, context: &Context) -> Result<RawEvent, FieldError> {
        let raw = self.fields.fill(values, context);
        let duration = self
            .duration
            .as_ref()
            .and_then(|(value, unit)| unit.seconds(&value.fill(values)?))
            // Gateways write 0 where they do not know the duration.
            .filter(|seconds| *seconds > 0);
        let key = self
            .correlation_key
            .as_ref()
            .and_then(|key| key.fill(values));
        let has_session = raw.session_id.is_some() || self.kind == TypeName::Restart;
        if key.is_none() && !has_session {
            return Err(self.error(
                "correlation_key",
                "the record does not identify its session",
            ));
        }
        Ok(RawEvent {
            correlation_key: key.filter(|_| !has_session),
            duration_seconds: duration.or(raw.duration_seconds),
            input_digest: Some(values.record.digest()),
            ..raw
        })
    }

    fn time(&self, values: &Values, context: &Context) -> Result<Timestamp, FieldError> {
        first(&self.times, values, context)
            .or(values.record.at)
            .or(self.takes_arrival.then_some(context.received_at))
            .ok_or_else(|| self.error("occurred_at", "the record has no time that can be read"))
    }

    /// Returns the event ID that the rule gives, or one made of the record. The latter does not
    /// depend on the rule, so that a record that arrives again after a change of the rules is a
    /// duplicate.
    fn event_id(&self, raw: &RawEvent, record: &Record, at: Timestamp, kind: &str) -> String {
        let is_session = self.kind == TypeName::Session;
        match &raw.event_id {
            Some(event_id) if is_session => format!("{event_id}-{kind}"),
            Some(event_id) => event_id.clone(),
            None => {
                let kind = if is_session { kind } else { "" };
                record.event_id(at, kind)
            }
        }
    }

    fn error(&self, field: &'static str, reason: &str) -> FieldError {
        FieldError::new(field, format!("is missing: {reason} (rule {})", self.name))
    }
}

/// Returns the first time that can be read.
fn first(times: &[TimeOfField], values: &Values, context: &Context) -> Option<Timestamp> {
    times.iter().find_map(|time| time.read(values, context))
}

fn template(key: &'static str, text: Option<&str>) -> Result<Option<Template>, BadKey> {
    let template = text.map(Template::parse).transpose();
    template.map_err(|reason| BadKey::new(key, reason))
}
