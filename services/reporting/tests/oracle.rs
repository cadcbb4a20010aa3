//! Compares reports with an oracle, which computes them from the events by brute force, as the
//! contract describes. Events, periods and starts of day are random, and near clock changes. The
//! oracle shares only the time zone database with the services.

use std::collections::BTreeMap;

use jiff::{
    SignedDuration, Timestamp,
    civil::{DateTime, date},
    tz::TimeZone,
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use rollcall_test_support::Rollcall;
use serde_json::{Value, json};

#[derive(Debug, Clone)]
struct TestEvent {
    session: u8,
    kind: &'static str,
    user: &'static str,
    realm: Option<&'static str>,
    at: Timestamp,
}

impl TestEvent {
    fn realm(&self) -> &'static str {
        self.realm.unwrap_or("Default")
    }

    fn person(&self) -> (String, String) {
        (self.user.to_lowercase(), self.realm().to_lowercase())
    }
}

/// Time zones, each with two instants around which the events are. Most of the instants are clock
/// changes. Kolkata has none, and Apia skipped a day.
const ZONES: [(&str, [&str; 2]); 5] = [
    (
        "Europe/Berlin",
        ["2025-03-30T01:00:00Z", "2025-10-26T01:00:00Z"],
    ),
    (
        "America/New_York",
        ["2025-03-09T07:00:00Z", "2025-11-02T06:00:00Z"],
    ),
    (
        "Australia/Lord_Howe",
        ["2025-04-05T15:00:00Z", "2025-10-04T15:30:00Z"],
    ),
    (
        "Asia/Kolkata",
        ["2025-01-31T18:30:00Z", "2025-06-01T00:00:00Z"],
    ),
    (
        "Pacific/Apia",
        ["2011-12-30T10:00:00Z", "2011-12-31T00:00:00Z"],
    ),
];

fn test_events(around: Timestamp) -> impl Strategy<Value = Vec<TestEvent>> {
    let minutes = -3 * 24 * 60..3 * 24 * 60_i64;
    let one = (
        0..10_u8,
        0..10_usize,
        0..3_usize,
        0..4_usize,
        minutes,
        prop::bool::weighted(0.3),
    );
    prop::collection::vec(one, 1..40).prop_map(move |all| {
        let kinds = [
            "login", "login", "login", "login", "logout", "logout", "logout", "active", "active",
            "restart",
        ];
        let test_event =
            |(session, kind, user, realm, minute, near): (u8, usize, usize, usize, i64, bool)| {
                TestEvent {
                    session,
                    kind: kinds[kind],
                    // A session has one user, whose name is reported in several forms.
                    user: [["amy", "Amy", "AMY"], ["bob", "Bob", "bOb"]][usize::from(session % 2)]
                        [user],
                    realm: [None, Some("Sales"), Some("sales"), Some("Default")][realm],
                    at: around + SignedDuration::from_mins(if near { minute / 60 } else { minute }),
                }
            };
        all.into_iter().map(test_event).collect()
    })
}

fn local(at: Timestamp, zone: &TimeZone) -> DateTime {
    zone.to_datetime(at)
}

/// Returns the first second at which the local time is `start` or later.
fn first_at_or_after(start: DateTime, zone: &TimeZone) -> Timestamp {
    let begin =
        TimeZone::UTC.to_timestamp(start).expect("an instant") - SignedDuration::from_hours(40);
    let minute = (0..80 * 60)
        .map(|minute| begin + SignedDuration::from_mins(minute))
        .find(|at| local(*at, zone) >= start)
        .expect("a minute");
    let before = minute - SignedDuration::from_mins(1);
    (0..=60)
        .map(|second| before + SignedDuration::from_secs(second))
        .find(|at| local(*at, zone) >= start)
        .expect("a second")
}

#[derive(Default)]
struct Group {
    first: Option<Timestamp>,
    ends: Vec<Option<Timestamp>>,
}

/// Period and filters of a report.
struct Query {
    from: Timestamp,
    to: Timestamp,
    user: Option<&'static str>,
    realm: Option<&'static str>,
}

fn oracle(
    all: &[TestEvent],
    named: &[TestEvent],
    query: &Query,
    zone: &TimeZone,
    now: Timestamp,
) -> Value {
    let restarts: Vec<Timestamp> = all
        .iter()
        .filter(|one| one.kind == "restart")
        .map(|one| one.at)
        .collect();
    let timeout = SignedDuration::from_hours(24);
    let mut groups: BTreeMap<(String, String), Group> = BTreeMap::new();
    // Display form: the greatest by (UTC date, user, realm) of all events that name the person. The
    // persons of earlier cases remain.
    let mut forms: BTreeMap<(String, String), (String, &str, &str)> = BTreeMap::new();
    for one in named.iter().filter(|one| one.kind != "restart") {
        let form = (one.at.to_string()[..10].to_owned(), one.user, one.realm());
        let greatest = forms.entry(one.person()).or_insert_with(|| form.clone());
        *greatest = form.max(greatest.clone());
    }
    for session in 0..10 {
        let its_events: Vec<&TestEvent> = all
            .iter()
            .filter(|one| one.session == session && one.kind != "restart")
            .collect();
        let Some(last) = its_events.iter().map(|one| one.at).max() else {
            continue;
        };
        let group = its_events
            .iter()
            .max_by_key(|one| (one.realm.is_some(), one.at, one.person()))
            .expect("an event")
            .person();
        let Some(login) = its_events
            .iter()
            .filter(|one| one.kind == "login")
            .map(|one| one.at)
            .min()
        else {
            continue;
        };
        if !(query.from <= login && login < query.to) {
            continue;
        }
        let logout = its_events
            .iter()
            .filter(|one| one.kind == "logout")
            .map(|one| one.at)
            .max();
        let end = if logout.is_some_and(|logout| its_events.iter().all(|one| one.at <= logout)) {
            logout
        } else if restarts
            .iter()
            .any(|restart| login < *restart && (last..=last + timeout).contains(restart))
            || now.duration_since(last) > timeout
        {
            Some(last)
        } else {
            None
        };
        let group = groups.entry(group).or_default();
        group.first = Some(group.first.map_or(login, |first| first.min(login)));
        group.ends.push(end);
    }
    let format_time = |at: Timestamp| local(at, zone).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let wanted = |asked: Option<&str>, normalized: &str| {
        asked.is_none_or(|asked| asked.to_lowercase() == normalized)
    };
    let rows = groups
        .iter()
        .filter(|((user, realm), _)| wanted(query.user, user) && wanted(query.realm, realm));
    let row = |(group, sums): (&(String, String), &Group)| {
        let (_, user, realm) = &forms[group];
        let last = sums
            .ends
            .iter()
            .all(Option::is_some)
            .then(|| sums.ends.iter().flatten().max().map(|at| format_time(*at)))
            .flatten();
        json!({"UserID": user, "Realm": realm, "FirstLoginDateTime": sums.first.map(format_time), "LastLogoutDateTime": last})
    };
    rows.map(row).collect()
}

fn events(all: &[TestEvent]) -> Vec<Value> {
    let event = |(number, one): (usize, &TestEvent)| json!({"event_id": number.to_string(), "type": one.kind, "session_id": one.session.to_string(), "user": one.user, "realm": one.realm, "occurred_at": one.at.to_string()});
    all.iter().enumerate().map(event).collect()
}

async fn check_zone(name: &str, changes: [&str; 2]) {
    let zone = TimeZone::get(name).expect("a zone");
    // Accept events of any year, whatever the clock of the test shows.
    let any_time = |settings: &mut rollcall_platform::settings::Settings| {
        settings.ingestion.ahead_seconds = u32::MAX;
    };
    let rollcall = Rollcall::builder()
        .await
        .time_zone(name)
        .set(any_time)
        .start();
    let key = rollcall.source().await;
    let mut runner = TestRunner::default();
    let mut named = Vec::new();
    for case in 0..40 {
        let around: Timestamp = changes[case / 20].parse().expect("an instant");
        // Advance the clock so that some sessions are closed by timeout and others are not.
        rollcall.clock.advance(
            (around + SignedDuration::from_hours(50)).as_second()
                - rollcall.clock.now().as_second(),
        );
        let all = test_events(around)
            .new_tree(&mut runner)
            .expect("events")
            .current();
        named.extend(all.iter().cloned());
        rollcall
            .database
            .execute("TRUNCATE imported_events, event_ids, events, sessions, source_restarts")
            .await;
        let result: Value = rollcall
            .send(&key, &json!(events(&all)))
            .await
            .json()
            .await
            .expect("JSON");
        assert_eq!(result["accepted"], json!(all.len()), "{result}");
        let token = rollcall.token("reporting:read").await;
        let day = local(around, &zone).date();
        let ask = (
            -2..=2_i32,
            0..3_i32,
            0..24_i8,
            prop::sample::select(vec![0_i8, 29, 30, 59]),
            prop::sample::select(vec![0_i8, 59]),
            0..3_usize,
            0..3_usize,
        );
        for _ in 0..6 {
            let (first, length, hour, minute, second, user, realm) =
                ask.new_tree(&mut runner).expect("a query").current();
            let first = day
                .checked_add(jiff::Span::new().days(first))
                .expect("a day");
            let last = first
                .checked_add(jiff::Span::new().days(length))
                .expect("a day");
            let start_of_day = jiff::civil::time(hour, minute, second, 0);
            let query = Query {
                from: first_at_or_after(first.to_datetime(start_of_day), &zone),
                to: first_at_or_after(
                    last.tomorrow().expect("a day").to_datetime(start_of_day),
                    &zone,
                ),
                user: [None, Some("AmY"), Some("bob")][user],
                realm: [None, Some("SALES"), Some("default")][realm],
            };
            let mut filters = json!({"StartDate": first, "EndDate": last, "UserName": query.user.unwrap_or("all users"), "StartOfDay": start_of_day, "RequestDate": date(2025, 1, 1)});
            if let Some(realm) = query.realm {
                filters["Domain"] = json!(realm);
            }
            let answer: Value = rollcall
                .report(&token, &filters)
                .await
                .json()
                .await
                .expect("JSON");
            let expected = oracle(&all, &named, &query, &zone, rollcall.clock.now());
            assert_eq!(answer["data"], expected, "{name} {filters} {all:#?}");
        }
    }
}

/// Makes a test of each time zone, so that the tests run concurrently.
macro_rules! tests_of_zones {
    ($($test:ident: $index:literal,)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            let (name, changes) = ZONES[$index];
            check_zone(name, changes).await;
        })*
    };
}

tests_of_zones! {
    reports_in_berlin_equal_those_of_the_oracle: 0,
    reports_in_new_york_equal_those_of_the_oracle: 1,
    reports_in_lord_howe_equal_those_of_the_oracle: 2,
    reports_in_kolkata_equal_those_of_the_oracle: 3,
    reports_in_apia_equal_those_of_the_oracle: 4,
}
