//! Every shipped rule must take a line of the fixtures, so that none is untested.

use std::{collections::BTreeSet, fs, path::Path};

use jiff::tz::TimeZone;
use rollcall_formats::{
    rules::Rules,
    syslog::{Context, Found, parse},
};

/// Returns the content of the files in `folder`, and in its folders, that have this name or end.
fn contents(folder: &Path, end: &str) -> String {
    let entries = fs::read_dir(folder).expect("a folder");
    let texts = entries.map(|entry| {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            contents(&path, end)
        } else if path.to_string_lossy().ends_with(end) {
            fs::read_to_string(path).expect("a text file")
        } else {
            String::new()
        }
    });
    texts.collect()
}

#[test]
fn every_shipped_rule_takes_a_line_of_the_fixtures() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rules = Rules::shipped();
    let context = Context {
        data_id: "rollcall@32473",
        rules: &rules,
        zone: TimeZone::UTC,
        received_at: "2026-11-27T00:00:00Z".parse().expect("an instant"),
    };
    let lines = contents(&root.join("fixtures"), "lines.log");
    let taken = lines.lines().flat_map(|line| match parse(line, &context) {
        Ok(Found::Events(events)) => events.into_iter().map(|event| event.rule).collect(),
        Ok(Found::Ignored(rule)) => vec![rule],
        _ => Vec::new(),
    });
    let taken: BTreeSet<String> = taken.collect();
    let sets = contents(&root.join("src/rules/sets"), ".toml");
    let names = sets.lines().filter_map(|line| line.strip_prefix("name = "));
    let unused: Vec<&str> = names
        .map(|name| name.trim_matches('"'))
        .filter(|name| !taken.contains(*name))
        .collect();
    assert!(unused.is_empty(), "no line is taken by {unused:?}");
}
