use std::path::Path;

use jiff::tz::TimeZone;

use super::*;
use crate::syslog::Matched;

const AT: &str = "2026-11-26T09:00:00Z";

/// Applies rules to a text whose header has a time, a host and a program.
fn apply(rules: &str, text: &str) -> Result<Found, FieldError> {
    apply_at(rules, Some(AT), text)
}

fn apply_at(rules: &str, at: Option<&str>, text: &str) -> Result<Found, FieldError> {
    let rules = Rules::parse(rules).expect("valid rules");
    let context = Context {
        data_id: "",
        rules: &rules,
        zone: TimeZone::UTC,
        received_at: "2026-11-26T09:00:07Z".parse().expect("an instant"),
    };
    let record = Record {
        at: at.map(|at| at.parse().expect("an instant")),
        host: "gw",
        app: "app",
        process: "7",
        text,
    };
    rules.apply(&record, &context)
}

/// The events of a text, which must be taken.
fn events(rules: &str, text: &str) -> Vec<Matched> {
    match apply(rules, text) {
        Ok(Found::Events(events)) => events,
        other => panic!("events: {other:?}"),
    }
}

/// A text rule with further lines.
fn rule(lines: &str) -> String {
    format!(
        "[[rule]]\nname = 'r'\npattern = 'user (?<user>\\S+)(?: from (?<wan_ip>\\S+))?'\n\
         type = 'login'\ncorrelation_key = '{{host}}/{{process}}'\n{lines}"
    )
}

fn json(lines: &str) -> String {
    format!(
        "[[rule]]\nname = 'r'\ninput = 'json'\ntype = 'logout'\n\
         correlation_key = '{{id}}'\n{lines}\n[rule.event]\nuser = '{{user.name}}'\n"
    )
}

#[test]
fn captures_fill_event_fields_and_invalid_address_is_omitted() {
    for (text, wan_ip) in [
        ("user asha from 203.0.113.5:443", Some("203.0.113.5")),
        ("user asha from somewhere", None),
        ("user asha", None),
    ] {
        let events = events(&rule(""), text);
        let [Matched { rule, raw }] = &events[..] else {
            panic!("one event: {events:?}");
        };
        assert_eq!(
            (rule.as_str(), raw.correlation_key.as_deref()),
            ("r", Some("gw/7"))
        );
        assert_eq!(raw.user.as_deref(), Some("asha"));
        assert_eq!(raw.wan_ip.as_deref(), wan_ip);
        assert_eq!(raw.occurred_at.as_deref(), Some(AT));
    }
}

#[test]
fn first_rule_that_takes_a_record_decides() {
    let first = rule("when = { user = 'a.*', app = 'app' }\nunless = { user = '.*\\$' }");
    let second = rule("").replace("'r'", "'second'");
    let rules = format!("{first}\n{second}");
    let name = |text| match apply(&rules, text) {
        Ok(Found::Events(events)) => events[0].rule.clone(),
        Ok(Found::Ignored(rule)) => format!("ignored {rule}"),
        other => format!("{other:?}"),
    };
    assert_eq!(name("user asha"), "r");
    assert_eq!(name("user ax$"), "ignored r");
    assert_eq!(name("user bert"), "second");
    assert_eq!(name("nobody"), "Ok(Unmatched)");
    let other_app = rule("app = 'ap'");
    assert_eq!(apply(&other_app, "user asha"), Ok(Found::Unmatched));
}

#[test]
fn rule_of_type_ignore_takes_records_without_event() {
    let rules = "[[rule]]\nname = 'r'\ninput = 'key_value'\nwhen = { a = '1' }\ntype = 'ignore'";
    assert_eq!(apply(rules, "a=1"), Ok(Found::Ignored("r".into())));
    assert_eq!(apply(rules, "a=2"), Ok(Found::Unmatched));
}

#[test]
fn test_of_a_template_joins_fields() {
    let rules = json("when = { '{code}{winlog.event_id}' = '4624' }");
    for text in [
        r#"{"code":4624,"id":1}"#,
        r#"{"winlog.event_id":"4624","id":1}"#,
    ] {
        assert!(
            matches!(apply(&rules, text), Ok(Found::Events(_))),
            "{text}"
        );
    }
    assert_eq!(apply(&rules, r#"{"id":1}"#), Ok(Found::Unmatched));
}

#[test]
fn alias_is_the_first_of_its_fields_that_is_not_empty() {
    let rules = "[aliases]\nid = ['winlog.id', 'EventID']\n".to_owned() + &json("");
    for (text, key) in [
        (r#"{"winlog":{"id":""},"EventID":4624}"#, "4624"),
        (r#"{"winlog.id":"21","EventID":4624}"#, "21"),
        (r#"{"id":"own","EventID":4624}"#, "own"),
    ] {
        let found = &events(&rules, text)[0].raw.correlation_key;
        assert_eq!(found.as_deref(), Some(key), "{text}");
    }
}

#[test]
fn time_of_the_record_precedes_that_of_the_header_and_of_the_arrival() {
    let time = "time = [{ value = '{at}', format = 'rfc3339' }, { format = 'arrival' }]";
    for (at, text, expected) in [
        (
            Some(AT),
            r#"{"id":1,"at":"2026-11-26T08:00:00"}"#,
            "2026-11-26T08:00:00Z",
        ),
        (Some(AT), r#"{"id":1,"at":"soon"}"#, AT),
        (None, r#"{"id":1}"#, "2026-11-26T09:00:07Z"),
    ] {
        let Ok(Found::Events(events)) = apply_at(&json(time), at, text) else {
            panic!("an event of {text}");
        };
        assert_eq!(events[0].raw.occurred_at.as_deref(), Some(expected));
    }
    let without = json("time = { value = '{at}', format = 'rfc3339' }");
    let error = apply_at(&without, None, r#"{"id":1}"#).expect_err("an error");
    assert_eq!(error.field, "occurred_at");
}

#[test]
fn record_that_does_not_identify_its_session_is_rejected() {
    let error = apply(&json(""), "{}").expect_err("an error");
    assert_eq!(error.field, "correlation_key");
    assert!(error.message.contains("rule r"), "{error}");
}

#[test]
fn duration_fills_duration_seconds() {
    let rules = json("duration = { value = '{length}', unit = 'clock' }");
    for (length, expected) in [("0h:05m:10s", Some(310)), ("", None)] {
        let text = format!(r#"{{"id":1,"length":"{length}"}}"#);
        assert_eq!(events(&rules, &text)[0].raw.duration_seconds, expected);
    }
}

#[test]
fn record_of_a_session_makes_a_login_and_a_logout() {
    let rules = json("start = { value = '{from}', format = 'unix' }").replace("logout", "session");
    let both = events(
        &rules,
        r#"{"id":1,"from":1795680000,"user":{"name":"asha"}}"#,
    );
    let texts = |event: &Matched| {
        let raw = &event.raw;
        [&raw.kind, &raw.occurred_at, &raw.user].map(|text| text.clone().unwrap_or_default())
    };
    assert_eq!(texts(&both[0]), ["login", "2026-11-26T08:00:00Z", "asha"]);
    assert_eq!(texts(&both[1]), ["logout", AT, "asha"]);
    assert_ne!(both[0].raw.event_id, both[1].raw.event_id);
    assert_eq!(both[0].raw.correlation_key, both[1].raw.correlation_key);
    assert_eq!(
        events(&rules, r#"{"id":1,"user":{"name":"asha"}}"#).len(),
        1
    );
}

#[test]
fn session_id_replaces_the_correlation_key() {
    let rules = json("").replace("correlation_key = '{id}'", "") + "session_id = 's/{id}'";
    let event = &events(&rules, r#"{"id":5}"#)[0];
    assert_eq!(
        (
            event.raw.correlation_key.as_deref(),
            event.raw.session_id.as_deref()
        ),
        (None, Some("s/5"))
    );
}

#[test]
fn user_form_splits_user_and_realm() {
    let rules = rule("user_forms = ['down_level']");
    let raw = &events(&rules, r"user CORP\asha")[0].raw;
    assert_eq!(
        (raw.user.as_deref(), raw.realm.as_deref()),
        (Some("asha"), Some("CORP"))
    );
}

#[test]
fn event_id_depends_on_the_record_alone() {
    let first = &events(&rule(""), "user asha")[0].raw.event_id;
    let changed = rule("user_forms = ['upn']").replace("{process}", "x");
    assert_eq!(&events(&changed, "user asha")[0].raw.event_id, first);
    assert_ne!(&events(&changed, "user bert")[0].raw.event_id, first);
}

#[test]
fn error_names_file_line_rule_and_reason() {
    for (text, line, reason) in [
        (rule("app = '('"), 6, "rule \"r\": app:"),
        (
            rule("when = { usr = 'x' }"),
            6,
            "when: the record has no field {usr}",
        ),
        (
            rule("").replace("{host}", "{usr}"),
            5,
            "correlation_key: the record has no field",
        ),
        (
            rule("").replace("correlation_key", "correlation_kye"),
            5,
            "correlation_kye",
        ),
        (rule("").replace("'login'", "'arrive'"), 4, "arrive"),
        (
            rule("[rule.event]\nname = 'x'"),
            6,
            "event: the field must be one of user, realm,",
        ),
        (
            rule("time = { value = '{user}', format = '%!' }"),
            6,
            "time: format",
        ),
        (
            rule("time = { value = '{user}', format = '%Y', zone = 'x' }"),
            6,
            "time: zone",
        ),
        (rule("time = 5"), 6, "a time must be a table"),
        (
            rule("columns = ['a']"),
            6,
            "columns: must be given only with input csv",
        ),
        (
            rule("start = { value = '{user}', format = 'unix' }"),
            6,
            "start: must be given if",
        ),
        (rule("") + &rule(""), 7, "name: must be unique"),
        ("[[rule]\n".into(), 1, ""),
        (
            rule("").replace("(?<user>", "("),
            1,
            "event: must have the field user",
        ),
        (
            json("").replace("'{id}'", "'{id'"),
            5,
            "correlation_key: must have placeholders",
        ),
    ] {
        let error = Rules::parse(&text).expect_err("an error");
        let error = error.in_file(Path::new("my.toml")).to_string();
        assert!(
            error.starts_with(&format!("my.toml: line {line}: ")),
            "{error}\n{text}"
        );
        assert!(
            error.contains(reason) && !error.contains('\n'),
            "{error}\n{text}"
        );
    }
    assert!(Rules::parse("").is_ok());
}

#[test]
fn own_rules_precede_the_shipped_rules() {
    let own = "[[rule]]\nname = 'own'\npattern = '^Accepted'\ntype = 'ignore'";
    let rules = Rules::with_files(&[("own.toml".into(), own.into())]).expect("valid rules");
    let context = Context {
        data_id: "",
        rules: &rules,
        zone: TimeZone::UTC,
        received_at: AT.parse().expect("an instant"),
    };
    let accepted = Record {
        app: "sshd",
        ..Record::of_text("Accepted password for a from b port 1")
    };
    assert_eq!(
        rules.apply(&accepted, &context),
        Ok(Found::Ignored("own".into()))
    );
    let closed = "pam_unix(sshd:session): session closed for user asha";
    let at = Some(context.received_at);
    let closed = Record {
        app: "sshd",
        at,
        ..Record::of_text(closed)
    };
    assert!(matches!(
        rules.apply(&closed, &context),
        Ok(Found::Events(_))
    ));
}
