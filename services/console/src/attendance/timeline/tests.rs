use jiff::civil::{date, time};
use proptest::prelude::*;

use super::*;

fn axis(zone: &str, day: Date) -> Axis {
    let calendar = Calendar {
        time_zone: TimeZone::get(zone).expect("a zone"),
        start_of_day: time(0, 0, 0, 0),
    };
    Axis::new(&calendar, day).expect("a day")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn labels(axis: &Axis) -> Vec<String> {
    axis.hours().into_iter().map(|hour| hour.label).collect()
}

fn span(login: &str, last: &str, end_reason: Option<EndReason>) -> Span {
    Span {
        login_at: at(login),
        last_activity_at: at(last),
        end_reason,
    }
}

#[test]
fn day_of_24_hours_has_24_labels_at_equal_distances() {
    let hours = axis("Asia/Kolkata", date(2025, 1, 1)).hours();
    assert_eq!(hours.len(), 24);
    assert_eq!((hours[0].x, hours[12].x, hours[18].x), (0, 5_000, 7_500));
    assert_eq!(hours[18].label, "18");
}

#[test]
fn day_of_23_hours_lacks_the_skipped_hour() {
    let axis = axis("Europe/Berlin", date(2025, 3, 30));
    assert_eq!(labels(&axis)[..4], ["00", "01", "03", "04"]);
    assert_eq!(labels(&axis).len(), 23);
}

#[test]
fn day_of_25_hours_has_the_repeated_hour_twice() {
    let axis = axis("Europe/Berlin", date(2025, 10, 26));
    assert_eq!(labels(&axis)[..5], ["00", "01", "02", "02", "03"]);
    assert_eq!(labels(&axis).len(), 25);
    assert_eq!(axis.hours()[24].x, 24 * WIDTH / 25);
}

#[test]
fn hours_are_labelled_after_a_clock_change_of_half_an_hour() {
    let spring = axis("Australia/Lord_Howe", date(2025, 10, 5));
    let hours = spring.hours();
    assert_eq!(hours[2].label, "03");
    // The clock jumps from 02:00 to 02:30: the day has 23.5 hours, and 03:00 is 2.5 hours after its
    // start.
    assert_eq!(hours[2].x, 25 * WIDTH / 235);
}

#[test]
fn labels_begin_with_the_first_full_hour_after_the_start_of_the_day() {
    let calendar = Calendar {
        time_zone: TimeZone::get("Europe/Berlin").expect("a zone"),
        start_of_day: time(4, 30, 0, 0),
    };
    let axis = Axis::new(&calendar, date(2025, 1, 1)).expect("a day");
    assert_eq!(labels(&axis)[..2], ["05", "06"]);
    assert_eq!(labels(&axis).last().map(String::as_str), Some("04"));
    assert_eq!(axis.hours()[0].x, WIDTH / 48);
}

#[test]
fn day_that_the_zone_skips_has_no_axis() {
    let calendar = Calendar {
        time_zone: TimeZone::get("Pacific/Apia").expect("a zone"),
        start_of_day: time(0, 0, 0, 0),
    };
    assert!(Axis::new(&calendar, date(2011, 12, 30)).is_none());
}

#[test]
fn ended_session_is_one_bar() {
    let axis = axis("UTC", date(2025, 1, 1));
    let session = span(
        "2025-01-01T06:00:00Z",
        "2025-01-01T18:00:00Z",
        Some(EndReason::Logout),
    );
    let bar = axis.bar(&session, at("2025-01-05T00:00:00Z"));
    let known = Range {
        x: 2_500,
        width: 5_000,
    };
    assert_eq!(
        bar,
        Some(Bar {
            known,
            end: None,
            continues: false
        })
    );
}

#[test]
fn open_session_fades_from_its_last_activity_to_the_present() {
    let axis = axis("UTC", date(2025, 1, 1));
    let session = span("2025-01-01T06:00:00Z", "2025-01-01T12:00:00Z", None);
    let bar = axis.bar(&session, at("2025-01-01T18:00:00Z"));
    let faded = Range {
        x: 5_000,
        width: 2_500,
    };
    let bar = bar.expect("a bar");
    assert_eq!(bar.end, Some((Mark::Open, faded)));
    assert!(!bar.continues);
    let later = axis.bar(&session, at("2025-01-03T00:00:00Z"));
    assert!(later.expect("a bar").continues);
}

#[test]
fn end_by_timeout_is_hatched() {
    let axis = axis("UTC", date(2025, 1, 1));
    let session = span(
        "2025-01-01T06:00:00Z",
        "2025-01-01T18:00:00Z",
        Some(EndReason::Timeout),
    );
    let bar = axis.bar(&session, at("2025-01-05T00:00:00Z"));
    let hatched = Range {
        x: 17 * WIDTH / 24 + WIDTH / 48,
        width: 7_500 - (17 * WIDTH / 24 + WIDTH / 48),
    };
    assert_eq!(bar.and_then(|bar| bar.end), Some((Mark::Timeout, hatched)));
}

#[test]
fn session_beyond_the_day_is_cut_and_continues() {
    let axis = axis("UTC", date(2025, 1, 1));
    let session = span(
        "2025-01-01T18:00:00Z",
        "2025-01-02T06:00:00Z",
        Some(EndReason::Timeout),
    );
    let bar = axis.bar(&session, at("2025-01-05T00:00:00Z"));
    let known = Range {
        x: 7_500,
        width: 2_500,
    };
    assert_eq!(
        bar,
        Some(Bar {
            known,
            end: None,
            continues: true
        })
    );
}

#[test]
fn percentages_have_two_digits() {
    assert_eq!(percent(0), "0.00%");
    assert_eq!(percent(1_205), "12.05%");
    assert_eq!(percent(WIDTH), "100.00%");
}

proptest! {
    #[test]
    fn bars_lie_within_the_day(
        zone in prop::sample::select(vec!["Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"]),
        day in 0_i32..3_650,
        login in -200_000_i64..200_000,
        length in 0_i64..200_000,
        now in 0_i64..400_000,
        reason in prop::sample::select(vec![
            None, Some(EndReason::Logout), Some(EndReason::Timeout), Some(EndReason::Restart)
        ]),
    ) {
        let day = date(2020, 1, 1).checked_add(day.days()).expect("a day");
        let axis = axis(zone, day);
        let (start, _) = axis.bounds();
        let after = |seconds| start.checked_add(SignedDuration::from_secs(seconds)).expect("a time");
        let session = Span {
            login_at: after(login),
            last_activity_at: after(login + length),
            end_reason: reason,
        };
        if let Some(bar) = axis.bar(&session, after(now)) {
            for range in [Some(bar.known), bar.end.map(|(_, range)| range)].into_iter().flatten() {
                prop_assert!(range.x >= 0 && range.width >= MIN_BAR);
                prop_assert!(range.x + range.width <= WIDTH);
            }
        }
    }
}
