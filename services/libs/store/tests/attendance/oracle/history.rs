//! Random histories: what sources reported, in which order it arrived, and who is mapped to whom.

use jiff::{
    SignedDuration, Span, Timestamp,
    civil::{Date, time},
    tz::TimeZone,
};
use proptest::{prelude::*, sample::select};
use rollcall_attendance::calendar::Calendar;

/// An instant, in minutes since 1970.
pub type Minute = i64;

/// Persons as (user, realm), in no order. Each session is of one of them.
pub const PERSONS: [(&str, Option<&str>); 4] = [
    ("bob", None),
    ("amy", Some("sales")),
    ("amy", None),
    ("cyd", None),
];

/// Names of the calendars beside the default one.
pub const CALENDARS: [&str; 2] = ["india", "night"];

#[derive(Debug, Clone)]
pub struct TestEvent {
    pub source: i32,
    pub session: usize,
    pub kind: &'static str,
    pub at: Minute,
    pub active_seconds: Option<i64>,
    pub complete_through: Option<Minute>,
}

#[derive(Debug, Clone)]
pub struct Mapping {
    pub person: usize,
    pub employee_id: &'static str,
    pub calendar: Option<&'static str>,
    /// First and last day. None: no bound.
    pub from: Option<Date>,
    pub to: Option<Date>,
}

#[derive(Debug, Clone)]
pub struct TestSource {
    pub created_at: Minute,
    pub disabled_at: Option<Minute>,
    pub assume_complete_seconds: Option<i32>,
    pub imports_only: bool,
}

#[derive(Debug, Clone)]
pub struct History {
    pub events: Vec<TestEvent>,
    pub mappings: Vec<Mapping>,
    /// The sources 1 and 2.
    pub sources: [TestSource; 2],
    pub default: Calendar,
    pub named: Vec<(String, Calendar)>,
}

pub fn minute(at: Timestamp) -> Minute {
    at.as_second().div_euclid(60)
}

pub fn instant(minute: Minute) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
}

/// Generates histories around an instant.
pub fn histories(zone: TimeZone, around: Timestamp) -> impl Strategy<Value = History> {
    let day = zone.to_datetime(around).date();
    let calendar = calendars(zone);
    (
        prop::collection::vec(event(minute(around)), 1..40).prop_shuffle(),
        mappings(day),
        [source(minute(around)), source(minute(around))],
        calendar,
        calendars(TimeZone::get("Asia/Kolkata").expect("a zone")),
        calendars(TimeZone::get("America/New_York").expect("a zone")),
    )
        .prop_map(
            |(events, mappings, sources, default, india, night)| History {
                events,
                mappings,
                sources,
                default,
                named: CALENDARS
                    .map(Into::into)
                    .into_iter()
                    .zip([india, night])
                    .collect(),
            },
        )
}

fn calendars(zone: TimeZone) -> impl Strategy<Value = Calendar> {
    let starts = (0..24_i8, select(vec![0_i8, 0, 29, 30, 59]));
    starts.prop_map(move |(hour, minute)| Calendar {
        time_zone: zone.clone(),
        start_of_day: time(hour, minute, 0, 0),
    })
}

fn event(around: Minute) -> impl Strategy<Value = TestEvent> {
    let kinds = select(vec![
        "login", "login", "login", "logout", "logout", "logout", "active", "restart",
    ]);
    // Some events are near the clock change, and many tie or touch.
    let near = prop_oneof![-180..180_i64, (-4..4_i64).prop_map(|hours| hours * 60)];
    let far = (-3 * 24 * 60..3 * 24 * 60_i64).prop_map(|minute| minute / 10 * 10);
    (
        0..10_usize,
        kinds,
        prop_oneof![2 => near, 3 => far],
        prop::option::of(0..9_i64),
        prop::option::weighted(0.1, -120..3 * 24 * 60_i64),
    )
        .prop_map(
            move |(session, kind, at, active_seconds, complete)| TestEvent {
                source: if session < 7 { 1 } else { 2 },
                session,
                kind,
                at: around + at,
                active_seconds,
                complete_through: complete.map(|minutes| around + minutes),
            },
        )
}

fn source(around: Minute) -> impl Strategy<Value = TestSource> {
    let day: Minute = 24 * 60;
    (
        -5 * day..day,
        prop::option::weighted(0.3, -2 * day..3 * day),
        prop::option::of(1..4 * 86_400_i32),
        prop::bool::weighted(0.2),
    )
        .prop_map(
            move |(created, disabled, assume_complete_seconds, imports_only)| TestSource {
                created_at: around + created,
                disabled_at: disabled.map(|minutes| around + minutes),
                assume_complete_seconds,
                imports_only,
            },
        )
}

/// Generates up to two successive mappings of each person.
fn mappings(day: Date) -> impl Strategy<Value = Vec<Mapping>> {
    let employees = || select(vec!["E1", "E2", "e3"]);
    let calendars = || select(vec![None, None, Some(CALENDARS[0]), Some(CALENDARS[1])]);
    let one = (
        0..4_usize,
        [employees(), employees()],
        [calendars(), calendars()],
        -4..3_i64,
        0..3_i64,
    );
    let of_person = one.prop_map(move |(form, employees, calendars, from, length)| {
        let date = |days: i64| Some(day.saturating_add(Span::new().days(days)));
        let bounds = match form {
            0 => vec![],
            1 => vec![(None, None)],
            2 => vec![(date(from), date(from + length))],
            _ => vec![(None, date(from)), (date(from + 1 + length), None)],
        };
        let all = bounds.into_iter().zip(employees).zip(calendars);
        all.map(|(((from, to), employee_id), calendar)| Mapping {
            person: 0,
            employee_id,
            calendar,
            from,
            to,
        })
        .collect::<Vec<_>>()
    });
    prop::collection::vec(of_person, PERSONS.len()).prop_map(|persons| {
        let persons = persons.into_iter().enumerate();
        persons
            .flat_map(|(person, mappings)| {
                mappings
                    .into_iter()
                    .map(move |mapping| Mapping { person, ..mapping })
            })
            .collect()
    })
}
