use std::collections::BTreeMap;

use jiff::{ToSpan, civil::date};
use proptest::prelude::*;

use super::*;

/// Returns the mapping to `employee` on the given days of January 2025. 0 means no bound.
fn days(employee: &str, from: i8, to: i8) -> Mapping {
    let day = |day: i8| (day > 0).then(|| date(2025, 1, 1).saturating_add((day - 1).days()));
    Mapping {
        employee_id: employee.into(),
        calendar: None,
        valid_from: day(from),
        valid_to: day(to),
    }
}

/// Applies a merge as the database does.
fn apply(stored: &[Mapping], merge: &Merge) -> Vec<Mapping> {
    let all = stored.iter().chain(&merge.changed);
    let by_first_day = all.map(|mapping| (mapping.valid_from, mapping.clone()));
    by_first_day
        .collect::<BTreeMap<_, _>>()
        .into_values()
        .collect()
}

fn merged(stored: &[Mapping], new: &[Mapping]) -> (Vec<Mapping>, Vec<Outcome>, usize) {
    let merge = merge(stored, new);
    (apply(stored, &merge), merge.outcomes, merge.ended)
}

fn rejected(index: Option<usize>, mapping: Mapping) -> Outcome {
    Outcome::Rejected(Overlap { index, mapping })
}

#[test]
fn later_mapping_ends_one_without_a_last_day() {
    use Outcome::{Added, Unchanged};
    let stored = [days("a", 0, 0)];
    let new = [days("b", 10, 0), days("c", 20, 25)];
    let expected = vec![days("a", 0, 9), days("b", 10, 19), days("c", 20, 25)];
    assert_eq!(
        merged(&stored, &new),
        (expected.clone(), vec![Added, Added], 1)
    );
    // Importing the first mapping again does not extend it.
    assert_eq!(
        merged(&expected, &stored),
        (expected.clone(), vec![Unchanged], 0)
    );
}

#[test]
fn mapping_with_the_same_first_day_replaces_the_stored_one() {
    let stored = [days("a", 1, 10), days("b", 11, 20)];
    assert_eq!(
        merged(&stored, &[days("c", 1, 8)]),
        (
            vec![days("c", 1, 8), days("b", 11, 20)],
            vec![Outcome::Replaced],
            0
        )
    );
}

#[test]
fn overlap_is_rejected_with_the_mapping_in_the_way() {
    let stored = [days("a", 5, 10)];
    let new = [
        days("b", 10, 0),
        days("c", 1, 5),
        days("d", 20, 29),
        days("e", 20, 0),
        days("f", 18, 20),
        days("g", 11, 12),
        days("d", 20, 29),
    ];
    let (mappings, outcomes, ended) = merged(&stored, &new);
    assert_eq!(
        mappings,
        [days("a", 5, 10), days("g", 11, 12), days("d", 20, 29)]
    );
    assert_eq!(
        outcomes,
        [
            rejected(None, days("a", 5, 10)),
            rejected(None, days("a", 5, 10)),
            Outcome::Added,
            rejected(Some(2), days("d", 20, 29)),
            rejected(Some(2), days("d", 20, 29)),
            Outcome::Added,
            Outcome::Unchanged,
        ]
    );
    assert_eq!(ended, 0);
}

#[test]
fn stored_mapping_returns_if_its_replacement_is_rejected() {
    let stored = [days("a", 5, 10), days("b", 12, 14)];
    // The first would shorten the mapping that the second overlaps, but overlaps a third itself.
    let new = [days("c", 5, 12), days("d", 8, 9)];
    let (mappings, outcomes, _) = merged(&stored, &new);
    assert_eq!(mappings, stored);
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Outcome::Rejected(_)))
    );
}

fn any_mapping() -> impl Strategy<Value = Mapping> {
    ("[ab]", 0..12_i8, 0..12_i8).prop_map(|(employee, from, length)| {
        let to = if length == 0 { 0 } else { from + length };
        days(&employee, from, to)
    })
}

fn any_mappings() -> impl Strategy<Value = Vec<Mapping>> {
    prop::collection::vec(any_mapping(), 0..8)
}

/// Returns the number of mappings on each day of a month and the days before and after.
fn mappings_by_day(mappings: &[Mapping]) -> Vec<usize> {
    let is_valid = |mapping: &Mapping, day: Date| {
        mapping.valid_from.is_none_or(|from| from <= day)
            && mapping.valid_to.is_none_or(|to| day <= to)
    };
    let days = date(2024, 12, 30).series(1.day()).take(40);
    let count = |day| {
        mappings
            .iter()
            .filter(|mapping| is_valid(mapping, day))
            .count()
    };
    days.map(count).collect()
}

proptest! {
    #[test]
    fn no_day_has_two_mappings(first in any_mappings(), second in any_mappings()) {
        let (stored, ..) = merged(&[], &first);
        let (mappings, ..) = merged(&stored, &second);
        prop_assert!(mappings_by_day(&mappings).iter().all(|count| *count <= 1));
        for mapping in &mappings {
            prop_assert!(mapping.valid_to.is_none_or(|to| Some(to) >= mapping.valid_from));
        }
    }

    #[test]
    fn second_import_changes_nothing(first in any_mappings(), new in any_mappings()) {
        let (stored, ..) = merged(&[], &first);
        let (mappings, outcomes, _) = merged(&stored, &new);
        let again = merge(&mappings, &new);
        prop_assert_eq!(&again.changed, &[]);
        prop_assert_eq!(again.ended, 0);
        for (outcome, again) in outcomes.iter().zip(&again.outcomes) {
            let was_rejected = matches!(outcome, Outcome::Rejected(_));
            let is_rejected = matches!(again, Outcome::Rejected(_));
            prop_assert_eq!(was_rejected, is_rejected);
            prop_assert!(is_rejected || *again == Outcome::Unchanged);
        }
    }

    #[test]
    fn order_of_rows_matters_only_between_rows_that_overlap(
        first in any_mappings(),
        (new, shuffled) in any_mappings()
            .prop_flat_map(|new| (Just(new.clone()), Just(new).prop_shuffle())),
    ) {
        let (stored, ..) = merged(&[], &first);
        let (mappings, outcomes, ended) = merged(&stored, &new);
        let among_rows = |outcome: &Outcome| {
            matches!(outcome, Outcome::Rejected(Overlap { index: Some(_), .. }))
        };
        if outcomes.iter().any(among_rows) {
            return Ok(());
        }
        let (other, _, other_ended) = merged(&stored, &shuffled);
        prop_assert_eq!((mappings, ended), (other, other_ended));
    }

    #[test]
    fn row_that_is_not_rejected_is_valid_from_its_first_day(
        first in any_mappings(), new in any_mappings(),
    ) {
        let (stored, ..) = merged(&[], &first);
        let (mappings, outcomes, _) = merged(&stored, &new);
        for (row, outcome) in new.iter().zip(outcomes) {
            let found = mappings.iter().find(|mapping| mapping.valid_from == row.valid_from);
            let is_stored = found.is_some_and(|found| {
                found.employee_id == row.employee_id
                    && (row.valid_to.is_none() || found.valid_to == row.valid_to)
            });
            prop_assert!(is_stored || matches!(outcome, Outcome::Rejected(_)));
        }
    }
}

fn raw(cells: [&str; 6]) -> RawMapping {
    let [user, realm, employee_id, calendar, valid_from, valid_to] =
        cells.map(|cell| Some(cell.to_owned()));
    RawMapping {
        user,
        realm,
        employee_id,
        calendar,
        valid_from,
        valid_to,
    }
}

#[test]
fn empty_cells_have_their_defaults() {
    let parsed = NewMapping::parse(raw(["Zoë", "", "E-1", "", "", ""]), &[]).expect("a mapping");
    assert_eq!(parsed.person, Person::new("zoë", None));
    assert_eq!(
        (parsed.user.as_str(), parsed.realm.as_str()),
        ("Zoë", "Default")
    );
    assert_eq!(parsed.mapping, days("E-1", 0, 0));
    let named = raw(["Zoë", "Sales", "E-1", "default", "2025-01-01", "2025-01-01"]);
    let parsed = NewMapping::parse(named, &[]).expect("a mapping");
    assert_eq!(parsed.mapping, days("E-1", 1, 1));
}

#[test]
fn invalid_cell_is_named_with_what_is_accepted() {
    let long = "x".repeat(129);
    for (cells, field, message) in [
        (["", "", "E", "", "", ""], "user", "is missing"),
        (
            ["a", "", "", "", "", ""],
            "employee_id",
            "is missing; it must be a text of 1 to 128",
        ),
        (
            ["a", "", &long, "", "", ""],
            "employee_id",
            "must be at most 128 bytes (got 129)",
        ),
        (
            ["a\u{7}", "", "E", "", "", ""],
            "user",
            "must not contain a control character",
        ),
        (
            ["a", "", "E", "x", "", ""],
            "calendar",
            "must be one of default, night (got \"x\")",
        ),
        (
            ["a", "", "E", "", "1.1.2025", ""],
            "valid_from",
            "YYYY-MM-DD (got \"1.1.2025\")",
        ),
        (
            ["a", "", "E", "", "", "2025-02-30"],
            "valid_to",
            "YYYY-MM-DD (got \"2025-02-30\")",
        ),
        (
            ["a", "", "E", "", "2025-01-02", "2025-01-01"],
            "valid_to",
            "not be before valid_from",
        ),
    ] {
        let error = NewMapping::parse(raw(cells), &["night".into()]).expect_err(field);
        assert_eq!(error.field, field);
        assert!(error.to_string().contains(message), "{error}");
    }
}
