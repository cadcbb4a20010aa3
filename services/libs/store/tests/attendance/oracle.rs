//! Compares reports with an oracle, which computes them from the events by brute force, as the
//! contract describes. Histories, calendars, mappings and selections are random, and near clock
//! changes. The oracle shares only the time zone database with the code.

mod history;
mod intervals;
mod model;
mod recorded;
mod report;
mod row;

use futures::TryStreamExt;
use jiff::{SignedDuration, Span, Timestamp, civil::Date, tz::TimeZone};
use proptest::{prelude::*, sample::select, strategy::ValueTree, test_runner::TestRunner};
use rollcall_store::attendance::{
    self, Attribution, Calendars, Grouping, Moment, Page, Position, Selection, Subject,
};

use self::{
    history::{History, histories, minute},
    model::TIMEOUT,
    report::Oracle,
};
use crate::world::World;

/// Number of histories for each instant, and of selections for each history.
const HISTORIES: usize = 6;
const SELECTIONS: usize = 8;

fn selections(history: &History, day: Date) -> impl Strategy<Value = Selection> + use<> {
    let (default, named) = (history.default.clone(), history.named.clone());
    let one = Calendars::One(default.clone());
    let filter = |names: &[&'static str]| {
        let name = select(names.to_vec()).prop_map(str::to_owned);
        let none = Just(Vec::new()).boxed();
        prop_oneof![3 => none, 1 => prop::collection::vec(name, 1..3)]
    };
    (
        (-3..2_i64, 0..4_i64),
        select(vec![one, Calendars::Assigned { default, named }]),
        (
            filter(&["AMY", "bob", "nobody"]),
            filter(&["Sales", "DEFAULT"]),
            filter(&["E1", "E2", "e3", "e1"]),
        ),
        select(vec![Grouping::Day, Grouping::Period]),
        select(vec![Subject::Person, Subject::Employee]),
        select(vec![Attribution::Login, Attribution::Overlap]),
        any::<bool>(),
    )
        .prop_map(
            move |((first, length), calendars, filters, grouping, subject, attribution, absent)| {
                let first = day.saturating_add(Span::new().days(first));
                let (users, realms, employee_ids) = filters;
                Selection {
                    first,
                    last: first.saturating_add(Span::new().days(length)),
                    calendars,
                    users,
                    realms,
                    employee_ids,
                    sources: Vec::new(),
                    grouping,
                    subject,
                    attribution,
                    include_absent: absent,
                }
            },
        )
}

async fn check_report(world: &World, history: &History, selection: &Selection, moment: Moment) {
    let mut oracle = Oracle::new(history, selection, minute(moment.now));
    let expected = oracle.rows();
    let rows = world.rows(selection, None, moment).await;
    assert_eq!(rows, expected, "{selection:#?} {moment:?} {history:#?}");
    let size = u32::try_from(rows.len() / 2 + 1).expect("few");
    let mut glued = Vec::new();
    loop {
        let page = Page {
            after: glued.last().map(Position::of),
            limit: size,
        };
        let part = world.rows(selection, Some(page), moment).await;
        assert!(part.len() <= size as usize);
        if part.is_empty() {
            break;
        }
        glued.extend(part);
    }
    assert_eq!(glued, expected, "{selection:#?} {moment:?} {history:#?}");
    let intervals = attendance::intervals(world.connection().await, selection.clone(), moment);
    assert_eq!(
        intervals.try_collect::<Vec<_>>().await.expect("intervals"),
        oracle.intervals(),
        "{selection:#?} {moment:?} {history:#?}"
    );
    let mut connection = world.connection().await;
    let unmapped = attendance::unmapped(&mut connection, selection).await;
    assert_eq!(
        unmapped.expect("persons"),
        oracle.unmapped(),
        "{selection:#?} {history:#?}"
    );
}

async fn check_zone(name: &str, changes: [&str; 2]) {
    let zone = TimeZone::get(name).expect("a zone");
    let world = World::empty().await;
    recorded::prepare(&world.database).await;
    let mut writer = world.database.writer();
    let mut runner = TestRunner::default();
    for change in changes {
        let around: Timestamp = change.parse().expect("an instant");
        let day = zone.to_datetime(around).date();
        for _ in 0..HISTORIES {
            let history = histories(zone.clone(), around).new_tree(&mut runner);
            let history = history.expect("a history").current();
            recorded::replace(&world.database, &mut writer, &history).await;
            for _ in 0..SELECTIONS {
                let selection = selections(&history, day).new_tree(&mut runner);
                let hours = (-24..120_i64)
                    .new_tree(&mut runner)
                    .expect("hours")
                    .current();
                let moment = Moment {
                    now: around + SignedDuration::from_hours(hours),
                    timeout: SignedDuration::from_mins(TIMEOUT),
                };
                let selection = selection.expect("a selection").current();
                check_report(&world, &history, &selection, moment).await;
            }
        }
    }
}

/// Makes a test of each time zone, so that the tests run concurrently.
macro_rules! tests_of_zones {
    ($($test:ident: $zone:literal, $changes:expr;)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            check_zone($zone, $changes).await;
        })*
    };
}

// Most of the instants are clock changes. Kolkata and Kathmandu have none, and Apia skipped a day.
tests_of_zones! {
    reports_in_berlin_equal_those_of_the_oracle:
        "Europe/Berlin", ["2025-03-30T01:00:00Z", "2025-10-26T01:00:00Z"];
    reports_in_new_york_equal_those_of_the_oracle:
        "America/New_York", ["2025-03-09T07:00:00Z", "2025-11-02T06:00:00Z"];
    reports_in_lord_howe_equal_those_of_the_oracle:
        "Australia/Lord_Howe", ["2025-04-05T15:00:00Z", "2025-10-04T15:30:00Z"];
    reports_in_kolkata_equal_those_of_the_oracle:
        "Asia/Kolkata", ["2025-01-31T18:30:00Z", "2025-06-01T00:00:00Z"];
    reports_in_kathmandu_equal_those_of_the_oracle:
        "Asia/Kathmandu", ["2025-02-28T18:15:00Z", "2024-02-28T18:15:00Z"];
    reports_in_apia_equal_those_of_the_oracle:
        "Pacific/Apia", ["2011-12-30T10:00:00Z", "2011-12-31T00:00:00Z"];
}
