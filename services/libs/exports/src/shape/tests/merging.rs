//! Properties of merged intervals, for any intervals.

use std::collections::BTreeSet;

use futures::stream;
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use proptest::prelude::*;

use super::{Provisional, Shape, at, collect, interval};

/// Returns the pairs of check-in and check-out of a CSV shape.
fn pairs(
    shape: Shape,
    zone: &str,
    intervals: &[(Timestamp, Timestamp)],
) -> Vec<(DateTime, DateTime)> {
    let intervals = intervals.iter().map(|(start, end)| {
        let mut interval = interval(&start.to_string(), Some(&end.to_string()));
        interval.time_zone = TimeZone::get(zone).expect("a zone");
        Ok(interval)
    });
    let intervals = stream::iter(intervals.collect::<Vec<_>>());
    let (bytes, _) = collect(shape.encode(intervals, Provisional::LeaveOut));
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let times: Vec<DateTime> = reader
        .records()
        .flat_map(|record| {
            let record = record.expect("CSV");
            let fields: Vec<_> = record
                .iter()
                .filter_map(|field| field.parse().ok())
                .collect();
            fields
        })
        .collect();
    times.chunks(2).map(|pair| (pair[0], pair[1])).collect()
}

/// Returns disjoint intervals around an instant, with starts and lengths of milliseconds to minutes.
fn any_intervals(around: &'static str) -> impl Strategy<Value = Vec<(Timestamp, Timestamp)>> {
    let step = || prop_oneof![1_i64..1_500, 1_i64..120_000, 1_i64..4_000_000];
    prop::collection::vec((step(), step()), 1..12).prop_map(move |steps| {
        let mut now = at(around);
        let mut after = |milliseconds| {
            now += SignedDuration::from_millis(milliseconds);
            now
        };
        steps
            .into_iter()
            .map(|(gap, length)| (after(gap), after(length)))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pairs_cover_the_same_seconds_and_never_share_one(
        intervals in any_intervals("2025-01-01T00:00:00Z"),
    ) {
        let seconds = |start: i64, end: i64| start..=end;
        let expected: BTreeSet<i64> = intervals
            .iter()
            .flat_map(|(start, end)| seconds(start.as_second(), end.as_second()))
            .collect();
        let utc = |at: DateTime| at.to_zoned(TimeZone::UTC).expect("an instant").timestamp();
        let found: Vec<i64> = pairs(Shape::Odoo, "Asia/Kolkata", &intervals)
            .into_iter()
            .flat_map(|(start, end)| seconds(utc(start).as_second(), utc(end).as_second()))
            .collect();
        prop_assert!(found.iter().eq(&expected));
    }

    #[test]
    fn local_times_never_go_back(
        intervals in any_intervals("2025-10-26T00:00:00Z"),
    ) {
        let times: Vec<DateTime> = pairs(Shape::Frappe, "Europe/Berlin", &intervals)
            .into_iter()
            .flat_map(|(start, end)| [start, end])
            .collect();
        prop_assert!(times.is_sorted(), "{times:?}");
    }
}
