//! Histories in which other projects lose hours. Each test names the thread.

use futures::TryStreamExt;
use jiff::{SignedDuration, civil::date, tz::TimeZone};
use rollcall_attendance::row::{AttendanceRow, Interval};
use rollcall_store::attendance::{self, Grouping, Selection, Subject};

use crate::world::{World, calendar, days, moment, text};

/// Returns the rows of a history as texts, ten days later.
async fn rows_of(events: &[&str], selection: &Selection) -> Vec<String> {
    let mut world = World::new().await;
    world.record(events).await;
    texts(
        &world
            .rows(selection, None, moment("2025-01-20T00:00:00Z"))
            .await,
    )
}

fn texts(rows: &[AttendanceRow]) -> Vec<String> {
    rows.iter().map(text).collect()
}

fn january(zone: &str) -> Selection {
    days(calendar(zone), date(2025, 1, 1), date(2025, 1, 3))
}

const NIGHT: [&str; 2] = [
    "login s1 amy 2025-01-01T22:00:00Z",
    "logout s1 amy 2025-01-02T06:00:00Z",
];

/// frappe/hrms #3298: a checkout after midnight is counted to the next day.
#[tokio::test(flavor = "multi_thread")]
async fn checkout_after_midnight_belongs_to_the_day_of_the_login() {
    assert_eq!(
        rows_of(&NIGHT, &january("UTC")).await,
        ["2025-01-01 amy 2025-01-01T22:00:00 2025-01-02T06:00:00 \
          sessions=1 worked=28800 open=0 logout"]
    );
}

/// frappe/hrms #3839: login and logout belong to different shifts, so that neither is complete.
#[tokio::test(flavor = "multi_thread")]
async fn login_and_logout_on_both_sides_of_the_start_of_day_are_one_session() {
    let mut selection = january("UTC");
    let mut shifts = calendar("UTC");
    shifts.start_of_day = jiff::civil::time(14, 0, 0, 0);
    selection.calendars = rollcall_store::attendance::Calendars::One(shifts);
    let events = [
        "login s1 amy 2025-01-02T13:55:00Z",
        "logout s1 amy 2025-01-02T22:00:00Z",
    ];
    assert_eq!(
        rows_of(&events, &selection).await,
        ["2025-01-01 amy 2025-01-02T13:55:00 2025-01-02T22:00:00 \
          sessions=1 worked=29100 open=0 logout"]
    );
}

/// frappe/hrms #621: somebody goes out and in at the same second.
#[tokio::test(flavor = "multi_thread")]
async fn logout_and_login_at_the_same_second_lose_no_time() {
    let events = [
        "login s1 amy 2025-01-01T08:00:00Z",
        "logout s1 amy 2025-01-01T12:00:00Z",
        "login s2 amy 2025-01-01T12:00:00Z",
        "logout s2 amy 2025-01-01T17:00:00Z",
    ];
    assert_eq!(
        rows_of(&events, &january("UTC")).await,
        ["2025-01-01 amy 2025-01-01T08:00:00 2025-01-01T17:00:00 \
          sessions=2 worked=32400 open=0 logout"]
    );
}

/// horilla #1242 and #358: a checkout after midnight closes nothing, and the next login is refused.
#[tokio::test(flavor = "multi_thread")]
async fn checkout_after_midnight_closes_the_session_of_the_day_before() {
    let events = [
        NIGHT[1],
        "login s2 amy 2025-01-02T22:00:00Z",
        NIGHT[0],
        "logout s2 amy 2025-01-03T00:00:00Z",
    ];
    assert_eq!(
        rows_of(&events, &january("UTC")).await,
        [
            "2025-01-01 amy 2025-01-01T22:00:00 2025-01-02T06:00:00 \
             sessions=1 worked=28800 open=0 logout",
            "2025-01-02 amy 2025-01-02T22:00:00 2025-01-03T00:00:00 \
             sessions=1 worked=7200 open=0 logout"
        ]
    );
}

/// horilla #600: only the first checkout counts.
#[tokio::test(flavor = "multi_thread")]
async fn latest_of_several_checkouts_counts() {
    let events = [
        "login s1 amy 2025-01-01T08:00:00Z",
        "logout s1 amy 2025-01-01T12:00:00Z",
        "logout s1 amy 2025-01-01T17:30:00Z",
    ];
    assert_eq!(
        rows_of(&events, &january("UTC")).await,
        ["2025-01-01 amy 2025-01-01T08:00:00 2025-01-01T17:30:00 \
          sessions=1 worked=34200 open=0 logout"]
    );
}

/// odoo #245247: in Asia/Kolkata a session over midnight UTC gets the wrong day.
#[tokio::test(flavor = "multi_thread")]
async fn session_in_kolkata_belongs_to_the_local_day() {
    let events = [
        "login s1 amy 2025-01-01T18:29:59Z",
        "logout s1 amy 2025-01-01T18:30:00Z",
        "login s2 amy 2025-01-01T18:30:00Z",
        "logout s2 amy 2025-01-02T04:00:00Z",
    ];
    assert_eq!(
        rows_of(&events, &january("Asia/Kolkata")).await,
        [
            "2025-01-01 amy 2025-01-01T23:59:59 2025-01-02T00:00:00 \
             sessions=1 worked=1 open=0 logout",
            "2025-01-02 amy 2025-01-02T00:00:00 2025-01-02T09:30:00 \
             sessions=1 worked=34200 open=0 logout"
        ]
    );
}

/// odoo #277717: a recomputation doubles the hours.
#[tokio::test(flavor = "multi_thread")]
async fn recorded_events_that_arrive_again_double_nothing() {
    let mut world = World::new().await;
    let selection = january("Asia/Kolkata");
    world.record(&NIGHT).await;
    let before = world
        .rows(&selection, None, moment("2025-01-20T00:00:00Z"))
        .await;
    // Other event IDs, as another export of the same gateway has them.
    world.record(&NIGHT).await;
    let after = world
        .rows(&selection, None, moment("2025-01-21T00:00:00Z"))
        .await;
    assert_eq!(texts(&before), texts(&after));
    assert_eq!(before.len(), 1);
}

/// kimai #4905: rounding makes entries overlap, so that time counts twice.
#[tokio::test(flavor = "multi_thread")]
async fn fractions_and_overlaps_of_sessions_count_once() {
    let events = [
        "login s1 amy 2025-01-01T08:00:00.4Z",
        "logout s1 amy 2025-01-01T09:00:00.9Z",
        "login s2 amy 2025-01-01T09:00:00.6Z",
        "logout s2 amy 2025-01-01T10:00:00.3Z",
        "login s3 amy 2025-01-01T08:30:00Z",
        "logout s3 amy 2025-01-01T08:45:00Z",
    ];
    let rows = rows_of(&events, &january("UTC")).await;
    assert_eq!(
        rows,
        [
            "2025-01-01 amy 2025-01-01T08:00:00.4 2025-01-01T10:00:00.3 \
          sessions=3 worked=7199 open=0 logout"
        ]
    );
}

/// An employee with two accounts works once at a time.
#[tokio::test(flavor = "multi_thread")]
async fn persons_of_one_employee_are_one_row_and_overlapping_time_counts_once() {
    let mut world = World::new().await;
    world
        .record(&[
            "login s1 bob 2025-01-01T08:00:00Z",
            "logout s1 bob 2025-01-01T12:00:00Z",
            "login s2 amy 2025-01-01T11:00:00Z",
            "logout s2 amy 2025-01-01T13:00:00Z",
        ])
        .await;
    world.map("amy", "E1").await;
    world.map("bob", "E1").await;
    for grouping in [Grouping::Day, Grouping::Period] {
        let selection = Selection {
            subject: Subject::Employee,
            grouping,
            ..january("UTC")
        };
        let rows = world
            .rows(&selection, None, moment("2025-01-20T00:00:00Z"))
            .await;
        assert_eq!(rows.len(), 1);
        assert_eq!(
            (rows[0].user.as_str(), rows[0].worked_seconds),
            ("amy", 18_000)
        );
        assert_eq!(rows[0].time_zone, TimeZone::UTC);
        let presence =
            rows[0].last_logout_at.expect("an end") - rows[0].first_login_at.expect("a login");
        assert_eq!(
            SignedDuration::try_from(presence).ok(),
            Some(SignedDuration::from_hours(5))
        );
    }
}

/// A session that is still open may take in a later one. An HR system that had loaded the later one
/// would refuse the whole as an overlap.
#[tokio::test(flavor = "multi_thread")]
async fn session_within_an_open_one_is_no_interval_of_its_own() {
    let mut world = World::new().await;
    world
        .record(&[
            "login s1 amy 2025-01-01T10:00:00Z",
            "login s2 amy 2025-01-01T11:00:00Z",
            "logout s2 amy 2025-01-01T12:00:00Z",
        ])
        .await;
    let intervals = async |now| {
        let connection = world.connection().await;
        let intervals = attendance::intervals(connection, january("UTC"), moment(now));
        let intervals: Vec<Interval> = intervals.try_collect().await.expect("intervals");
        let times = intervals.iter().map(|it| (it.start_at, it.end_at));
        times
            .map(|(start, end)| {
                format!("{start} {}", end.map_or("-".into(), |end| end.to_string()))
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        intervals("2025-01-02T09:00:00Z").await,
        ["2025-01-01T10:00:00Z -"]
    );
    // The first session is closed by timeout at its login.
    assert_eq!(
        intervals("2025-01-02T11:00:00Z").await,
        [
            "2025-01-01T10:00:00Z 2025-01-01T10:00:00Z",
            "2025-01-01T11:00:00Z 2025-01-01T12:00:00Z"
        ]
    );
}
