//! A rule.

use std::sync::Arc;

use jiff::Timestamp;
use regex::Regex;
use rollcall_attendance::event::{FieldError, RawEvent};

use super::{
    duration::Unit,
    event::EventFields,
    file::{Aliases, BadKey, Entry, InputName, TimeEntry, Times, TypeName},
    input::{Bodies, Form, Input, OF_EVERY_RECORD, Values},
    template::Template,
    time::TimeOfField,
};
use crate::{
    digest, made_event_id,
    record::Record,
    syslog::{Context, Found, Matched},
};

/// A rule, which takes records and turns each into events.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    name: String,
    app: Option<Regex>,
    input: Input,
    when: Vec<Test>,
    unless: Vec<Test>,
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

/// A text that must match as a whole.
#[derive(Debug, Clone)]
struct Test(Template, Regex);

impl Rule {
    /// Creates a rule from its entry in a file, and the aliases of the file.
    pub(super) fn new(entry: Entry, aliases: &Arc<Aliases>) -> Result<Self, BadKey> {
        let input = input(&entry)?;
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
            when: tests("when", &entry.when)?,
            unless: tests("unless", &entry.unless)?,
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
        let when = self.when.iter().map(|test| ("when", &test.0));
        let unless = self.unless.iter().map(|test| ("unless", &test.0));
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
        if !self.when.iter().all(|test| test.matches(&values)) {
            return Ok(None);
        }
        if self.kind == TypeName::Ignore || self.unless.iter().any(|test| test.matches(&values)) {
            return Ok(Some(Found::Ignored(self.name.clone())));
        }
        self.events(&values, context).map(Found::Events).map(Some)
    }

    fn events(&self, values: &Values, context: &Context) -> Result<Vec<Matched>, FieldError> {
        let record = values.record;
        let raw = self.fields.fill(values, context);
        let key = self.key(values, &raw)?;
        let read = |times: &[TimeOfField]| times.iter().find_map(|time| time.read(values, context));
        let at = read(&self.times)
            .or(record.at)
            .or(self.takes_arrival.then_some(context.received_at))
            .ok_or_else(|| self.error("occurred_at", "the record has no time that can be read"))?;
        let duration = self
            .duration
            .as_ref()
            .and_then(|(value, unit)| unit.seconds(&value.fill(values)?))
            .filter(|seconds| *seconds > 0);
        let raw = RawEvent {
            duration_seconds: duration.or(raw.duration_seconds),
            ..raw
        };
        let digest = digest(&[record.host, record.app, record.process, record.text]);
        let event = |kind: &str, at: Timestamp, raw: RawEvent| Matched {
            rule: self.name.clone(),
            raw: RawEvent {
                correlation_key: key.clone(),
                input_digest: Some(digest),
                event_id: Some(event_id(&raw, record, at, (self.kind, kind))),
                kind: Some(kind.to_owned()),
                occurred_at: Some(at.to_string()),
                ..raw
            },
        };
        Ok(match self.kind {
            TypeName::Login => vec![event("login", at, raw)],
            TypeName::Active => vec![event("active", at, raw)],
            TypeName::Logout => vec![event("logout", at, raw)],
            TypeName::Restart => vec![event("restart", at, raw)],
            TypeName::Ignore => Vec::new(),
            TypeName::Session => {
                let login = read(&self.starts).map(|start| {
                    let raw = RawEvent {
                        reason: None,
                        active_seconds: None,
                        duration_seconds: None,
                        next_in_seconds: None,
                        ..raw.clone()
                    };
                    event("login", start, raw)
                });
                login
                    .into_iter()
                    .chain([event("logout", at, raw)])
                    .collect()
            }
        })
    }

    /// Returns the correlation key, or `None` if the session has an ID, and for a restart.
    fn key(&self, values: &Values, raw: &RawEvent) -> Result<Option<String>, FieldError> {
        if raw.session_id.is_some() || self.kind == TypeName::Restart {
            return Ok(None);
        }
        let key = self
            .correlation_key
            .as_ref()
            .and_then(|key| key.fill(values));
        key.map(Some).ok_or_else(|| {
            self.error(
                "correlation_key",
                "the record does not identify its session",
            )
        })
    }

    fn error(&self, field: &'static str, reason: &str) -> FieldError {
        FieldError::new(field, format!("is missing: {reason} (rule {})", self.name))
    }
}

impl Test {
    fn matches(&self, values: &Values) -> bool {
        self.1.is_match(&self.0.fill(values).unwrap_or_default())
    }
}

/// Returns the event ID that a rule gives, or one made of the record. The latter does not depend on
/// the rule, so that a record that arrives again after a change of the rules is a duplicate.
fn event_id(raw: &RawEvent, record: &Record, at: Timestamp, kinds: (TypeName, &str)) -> String {
    let part = if kinds.0 == TypeName::Session {
        kinds.1
    } else {
        ""
    };
    if let Some(event_id) = &raw.event_id {
        return if part.is_empty() {
            event_id.clone()
        } else {
            format!("{event_id}-{part}")
        };
    }
    let header = record.at.map(|at| at.to_string()).unwrap_or_default();
    let second = record.at.unwrap_or(at).as_second();
    let parts = [
        &header,
        record.host,
        record.app,
        record.process,
        record.text,
        part,
    ];
    made_event_id("log", Some(second), &parts)
}

fn input(entry: &Entry) -> Result<Input, BadKey> {
    let only = |is_given: bool, key, inputs: &str| {
        let reason = format!("must be given only with input {inputs}");
        if is_given {
            Err(BadKey::new(key, reason))
        } else {
            Ok(())
        }
    };
    only(
        entry.input != InputName::Csv && !entry.columns.is_empty(),
        "columns",
        "csv",
    )?;
    only(
        entry.input != InputName::Csv && entry.separator.is_some(),
        "separator",
        "csv",
    )?;
    let form = match entry.input {
        InputName::Text => {
            only(entry.prefix.is_some(), "prefix", "key_value, csv or json")?;
            let pattern = entry.pattern.as_deref().unwrap_or_default();
            if pattern.is_empty() {
                return Err(BadKey::new("pattern", "is missing; input text needs it"));
            }
            return Ok(Input::Text(regex("pattern", pattern)?));
        }
        InputName::KeyValue => Form::KeyValue,
        InputName::Csv => Form::Csv(entry.separator.unwrap_or(',')),
        InputName::Json => Form::Json,
    };
    only(entry.pattern.is_some(), "pattern", "text")?;
    let prefix = entry.prefix.as_deref();
    let prefix = prefix.map(|prefix| regex("prefix", &format!("^(?:{prefix})")));
    Ok(Input::Body {
        prefix: prefix.transpose()?,
        form,
        columns: entry.columns.clone(),
    })
}

fn tests<'a>(
    key: &'static str,
    entries: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Result<Vec<Test>, BadKey> {
    let test = |(name, pattern): (&String, &String)| {
        let value = if name.contains('{') {
            Template::parse(name).map_err(|reason| BadKey::new(key, reason))?
        } else {
            Template::field(name)
        };
        Ok(Test(value, whole(key, pattern)?))
    };
    entries.into_iter().map(test).collect()
}

fn template(key: &'static str, text: Option<&str>) -> Result<Option<Template>, BadKey> {
    let template = text.map(Template::parse).transpose();
    template.map_err(|reason| BadKey::new(key, reason))
}

/// Compiles a pattern that must match a whole text.
fn whole(key: &'static str, pattern: &str) -> Result<Regex, BadKey> {
    regex(key, &format!("^(?:{pattern})$"))
}

fn regex(key: &'static str, pattern: &str) -> Result<Regex, BadKey> {
    Regex::new(pattern).map_err(|error| BadKey::new(key, error))
}
