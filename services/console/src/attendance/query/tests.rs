use jiff::{civil::date, tz::TimeZone};
use rollcall_attendance::row::{AttendanceRow, Status};

use super::*;

const TODAY: Date = date(2025, 2, 13);

fn parse(query: &str) -> Query {
    Query::parse(query, TODAY).unwrap_or_else(|errors| panic!("{query}: {errors:?}"))
}

fn errors(query: &str) -> Vec<(String, &'static str)> {
    let errors = Query::parse(query, TODAY).expect_err("an error");
    errors
        .into_iter()
        .map(|error| (error.name, error.expected))
        .collect()
}

#[test]
fn default_is_the_present_day() {
    let query = parse("");
    assert_eq!(
        (query.range, query.date, query.place),
        (Range::Day, TODAY, Place::Start)
    );
    assert_eq!(parse("").address(), "/console/?range=day&date=2025-02-13");
}

#[test]
fn address_is_read_back() {
    for query in [
        "range=day&date=2025-01-01&absent=on&view=timeline&state=open&direction=desc",
        "range=month&date=2025-01-01&calendar=berlin&rows=employees&sort=worked",
        "range=week&date=2025-01-01&search=%3Cb%3E+%26&realm=Sales&source=gw-1",
    ] {
        assert_eq!(parse(query).encoded(), query);
    }
}

#[test]
fn place_is_read_back() {
    let row = AttendanceRow {
        date: Some(TODAY),
        days: None,
        user: "Zoë".into(),
        realm: "Default".into(),
        employee_id: Some("E-1".into()),
        first_login_at: None,
        last_logout_at: None,
        sessions: 0,
        worked_seconds: 3,
        active_seconds: None,
        open_sessions: 0,
        end_reason: None,
        continues: None,
        status: Status::Final,
        time_zone: TimeZone::UTC,
    };
    for sort in ["first", "worked"] {
        let mut query = parse(&format!("sort={sort}&direction=desc"));
        query.place = Place::Before(query.order.key(&row));
        assert_eq!(parse(&query.encoded()), query);
    }
}

#[test]
fn weeks_begin_on_monday_and_months_on_their_first_day() {
    let days = |range: Range, day| range.days(day);
    let week = (date(2024, 12, 30), date(2025, 1, 5));
    assert_eq!(days(Range::Week, date(2025, 1, 1)), week);
    assert_eq!(days(Range::Week, date(2025, 1, 5)), week);
    assert_eq!(
        days(Range::Month, date(2024, 2, 10)),
        (date(2024, 2, 1), date(2024, 2, 29))
    );
    let step = |range: Range, forward| range.step(date(2025, 1, 31), forward);
    assert_eq!(step(Range::Month, true), Some(date(2025, 2, 1)));
    assert_eq!(step(Range::Month, false), Some(date(2024, 12, 1)));
    assert_eq!(step(Range::Week, true), Some(date(2025, 2, 3)));
    assert_eq!(Range::Day.step(date(9998, 12, 31), true), None);
    assert_eq!(Range::Month.step(date(1, 1, 1), false), None);
}

#[test]
fn wrong_parameters_are_named_together() {
    assert_eq!(
        errors("date=0000-01-01&range=year&after=x&sort=name&oops=1"),
        [
            ("date".to_owned(), "invalid.date"),
            ("range".to_owned(), "invalid.choice"),
            ("after".to_owned(), "invalid.place"),
            ("oops".to_owned(), "invalid.unknown"),
        ]
    );
}
