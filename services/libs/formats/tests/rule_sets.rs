//! The shipped rules, applied to lines as gateways send them: `fixtures/GATEWAY/lines.log`. Each
//! line of `expected.txt` is the expected result of the line with the same number:
//!
//! - `TYPE USER REALM KEY TIME` for an event, where KEY is the correlation key or session ID and
//!   `-`
//!   stands for an absent value. Two events of one record are joined by ` + `.
//! - `ignored RULE` for a record that a rule takes without making an event.
//! - `-` for a record that no rule takes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jiff::tz::TimeZone;
use rollcall_formats::{
    rules::Rules,
    syslog::{Context, Found, Matched, parse},
};

fn result(line: &str, context: &Context) -> String {
    match parse(line, context) {
        Ok(Found::Events(events)) => {
            let events: Vec<String> = events.iter().map(event).collect();
            events.join(" + ")
        }
        Ok(Found::Ignored(rule)) => format!("ignored {rule}"),
        Ok(Found::Unmatched) => "-".to_owned(),
        Err(error) => format!("rejected {error}"),
    }
}

fn event(matched: &Matched) -> String {
    let raw = &matched.raw;
    let text = |text: &Option<String>| text.clone().unwrap_or("-".to_owned());
    let key = text(&raw.correlation_key.clone().or(raw.session_id.clone()));
    let [kind, user] = [&raw.kind, &raw.user].map(text);
    let [realm, time] = [&raw.realm, &raw.occurred_at].map(text);
    format!("{kind} {user} {realm} {key} {time}")
}

fn differences(folder: &Path, context: &Context) -> Vec<String> {
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let (lines, expected) = (read("lines.log"), read("expected.txt"));
    let gateway = folder.file_name().expect("a name").display();
    assert_eq!(
        lines.lines().count(),
        expected.lines().count(),
        "lines of {gateway}"
    );
    let pairs = lines.lines().zip(expected.lines()).enumerate();
    pairs
        .filter_map(|(index, (line, expected))| {
            let result = result(line, context);
            let number = index + 1;
            (result != expected).then(|| {
                format!(
                    "{gateway}, line {number}: {line}\n  expected {expected}\n  but got  {result}"
                )
            })
        })
        .collect()
}

/// Returns the folders of fixtures, one for each gateway.
fn gateways() -> impl Iterator<Item = PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let gateways = fs::read_dir(folder).expect("the folder of fixtures");
    gateways.map(|entry| entry.expect("an entry").path())
}

fn context(rules: &Rules) -> Context<'_> {
    Context {
        data_id: "rollcall@32473",
        rules,
        zone: TimeZone::UTC,
        received_at: "2026-11-27T00:00:00Z".parse().expect("an instant"),
    }
}

fn all_differences(rules_of: impl Fn(&Path) -> Rules) -> String {
    let differences =
        gateways().flat_map(|gateway| differences(&gateway, &context(&rules_of(&gateway))));
    differences.collect::<Vec<_>>().join("\n")
}

#[test]
fn shipped_rules_make_the_expected_events_of_each_gateways_lines() {
    let shipped = Rules::shipped();
    let differences = all_differences(|_| shipped.clone());
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn rules_of_a_gateway_do_not_depend_on_those_of_others() {
    let differences = all_differences(|gateway| {
        let name = gateway.file_name().expect("a name").display();
        let sets = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules/sets");
        let set = fs::read_to_string(sets.join(format!("{name}.toml"))).expect("a rule set");
        Rules::parse(&set).expect("valid rules")
    });
    assert!(differences.is_empty(), "{differences}");
}

/// Returns the examples of rules in README.md, each with the record before it.
fn examples() -> Vec<(String, String)> {
    let readme = include_str!("../README.md").lines();
    let code: String = readme
        .map(|line| line.strip_prefix("    ").unwrap_or_default().to_owned() + "\n")
        .collect();
    let blocks = code.split("# ").skip(1);
    let blocks = blocks.filter_map(|block| block.split_once('\n'));
    blocks
        .map(|(record, rule)| (record.to_owned(), rule.to_owned()))
        .collect()
}

#[test]
fn rules_of_the_readme_take_their_records() {
    let examples = examples();
    assert_eq!(examples.len(), 3);
    for (record, rule) in examples {
        let rules = Rules::parse(&rule).expect("a valid rule");
        let result = result(&record, &context(&rules));
        assert!(result.contains(" asha "), "{result}: {record}");
    }
}
