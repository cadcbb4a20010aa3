use futures::stream as streams;
use jiff::{civil::date, tz::TimeZone};
use rollcall_attendance::row::Status;

use super::*;
use crate::samples::{at, collect};

mod merging;

fn interval(start: &str, end: Option<&str>) -> Interval {
    Interval {
        date: date(2025, 1, 1),
        employee_id: Some("E-1004".into()),
        user: "user_4".into(),
        realm: "Default".into(),
        start_at: at(start),
        end_at: end.map(at),
        status: if end.is_some() {
            Status::Final
        } else {
            Status::Provisional
        },
        time_zone: TimeZone::get("Asia/Kolkata").expect("a zone"),
    }
}

/// Two intervals of one employee, the last of which is open.
fn intervals() -> Vec<Interval> {
    vec![
        interval(
            "2025-01-01T15:30:00.9+05:30",
            Some("2025-01-02T01:10:59.9+05:30"),
        ),
        interval("2025-01-02T09:00:00+05:30", None),
    ]
}

fn file(shape: Shape, intervals: Vec<Interval>, provisional: Provisional) -> String {
    let intervals = streams::iter(intervals.into_iter().map(Ok));
    let (bytes, error) = collect(shape.encode(intervals, provisional));
    assert!(error.is_none(), "{error:?}");
    String::from_utf8(bytes).expect("UTF-8")
}

fn all(shape: Shape) -> String {
    file(shape, intervals(), Provisional::Include)
}

#[test]
fn frappe_has_local_times_and_a_row_for_each_direction() {
    assert_eq!(
        all(Shape::Frappe),
        "employee,log_type,time\r\n\
         E-1004,IN,2025-01-01 15:30:00\r\n\
         E-1004,OUT,2025-01-02 01:10:59\r\n\
         E-1004,IN,2025-01-02 09:00:00\r\n"
    );
}

#[test]
fn odoo_has_utc_and_a_row_for_each_interval() {
    assert_eq!(
        all(Shape::Odoo),
        "employee_id/id,check_in,check_out\r\n\
         E-1004,2025-01-01 10:00:00,2025-01-01 19:40:59\r\n\
         E-1004,2025-01-02 03:30:00,\r\n"
    );
}

#[test]
fn zoho_has_an_object_for_each_time() {
    assert_eq!(
        all(Shape::Zoho),
        "[\n{\"empId\":\"E-1004\",\"checkIn\":\"2025-01-01 15:30:00\"},\n\
         {\"empId\":\"E-1004\",\"checkOut\":\"2025-01-02 01:10:59\"},\n\
         {\"empId\":\"E-1004\",\"checkIn\":\"2025-01-02 09:00:00\"}\n]\n"
    );
}

#[test]
fn greythr_has_swipes_with_offset() {
    assert_eq!(
        all(Shape::Greythr),
        "2025-01-01T15:30:00.000+05:30,E-1004,Rollcall,1\n\
         2025-01-02T01:10:59.000+05:30,E-1004,Rollcall,0\n\
         2025-01-02T09:00:00.000+05:30,E-1004,Rollcall,1\n"
    );
}

#[test]
fn keka_has_status_0_for_in_and_1_for_out() {
    let log = |time, status| {
        let employee = "\"EmployeeAttendanceNumber\":\"E-1004\"";
        format!("{{{employee},\"Timestamp\":\"{time}\",\"Status\":{status}}}")
    };
    assert_eq!(
        all(Shape::Keka),
        format!(
            "[\n{},\n{},\n{}\n]\n",
            log("2025-01-01T15:30:00", 0),
            log("2025-01-02T01:10:59", 1),
            log("2025-01-02T09:00:00", 0)
        )
    );
}

#[test]
fn orangehrm_has_minutes_and_the_offset_in_hours() {
    assert_eq!(
        all(Shape::Orangehrm),
        "empNumber,punch,date,time,timezoneOffset,timezoneName\r\n\
         E-1004,in,2025-01-01,15:30,5.5,Asia/Kolkata\r\n\
         E-1004,out,2025-01-02,01:10,5.5,Asia/Kolkata\r\n\
         E-1004,in,2025-01-02,09:00,5.5,Asia/Kolkata\r\n"
    );
}

#[test]
fn provisional_intervals_are_left_out_unless_included() {
    let text = file(Shape::Frappe, intervals(), Provisional::LeaveOut);
    assert_eq!(text.lines().count(), 3);
    assert!(!text.contains("2025-01-02 09:00:00"));
}

#[test]
fn interval_without_an_employee_is_left_out() {
    let mut unmapped = intervals();
    unmapped[0].employee_id = None;
    let text = file(Shape::Odoo, unmapped, Provisional::LeaveOut);
    assert_eq!(text, "employee_id/id,check_in,check_out\r\n");
    assert_eq!(file(Shape::Keka, Vec::new(), Provisional::Include), "[]\n");
}

/// kimai #4905: rounding makes entries overlap. frappe/hrms #621: out and in at the same second.
#[test]
fn intervals_that_overlap_after_rounding_are_one() {
    let close = vec![
        interval("2025-01-01T09:00:10Z", Some("2025-01-01T10:00:20.2Z")),
        interval("2025-01-01T10:00:20.7Z", Some("2025-01-01T11:00:10Z")),
        interval("2025-01-01T11:00:50Z", Some("2025-01-01T12:00:00Z")),
    ];
    let odoo = file(Shape::Odoo, close.clone(), Provisional::LeaveOut);
    assert_eq!(
        odoo,
        "employee_id/id,check_in,check_out\r\n\
         E-1004,2025-01-01 09:00:10,2025-01-01 11:00:10\r\n\
         E-1004,2025-01-01 11:00:50,2025-01-01 12:00:00\r\n"
    );
    let orangehrm = file(Shape::Orangehrm, close.clone(), Provisional::LeaveOut);
    assert_eq!(orangehrm.lines().count(), 3, "{orangehrm}");
    let mut others = close;
    others[1].employee_id = Some("E-1005".into());
    let odoo = file(Shape::Odoo, others, Provisional::LeaveOut);
    assert_eq!(odoo.lines().count(), 4, "{odoo}");
}

#[test]
fn local_times_stay_in_order_when_clocks_go_back() {
    let mut autumn = vec![
        interval(
            "2025-10-26T02:30:00+02:00",
            Some("2025-10-26T02:10:00+01:00"),
        ),
        interval(
            "2025-10-26T02:20:00+01:00",
            Some("2025-10-26T03:00:00+01:00"),
        ),
        interval(
            "2025-10-26T04:00:00+01:00",
            Some("2025-10-26T05:00:00+01:00"),
        ),
    ];
    for interval in &mut autumn {
        interval.time_zone = TimeZone::get("Europe/Berlin").expect("a zone");
    }
    assert_eq!(
        file(Shape::Frappe, autumn.clone(), Provisional::LeaveOut),
        "employee,log_type,time\r\n\
         E-1004,IN,2025-10-26 02:30:00\r\n\
         E-1004,OUT,2025-10-26 03:00:00\r\n\
         E-1004,IN,2025-10-26 04:00:00\r\n\
         E-1004,OUT,2025-10-26 05:00:00\r\n"
    );
    let odoo = file(Shape::Odoo, autumn, Provisional::LeaveOut);
    assert!(
        odoo.contains("2025-10-26 00:30:00,2025-10-26 01:10:00\r\n"),
        "{odoo}"
    );
    assert_eq!(odoo.lines().count(), 4);
}

#[test]
fn error_of_the_input_is_an_error_of_the_file() {
    for shape in Shape::ALL {
        let broken = EncodeError::Scratch("the database is gone".into());
        let input = intervals().into_iter().map(Ok).chain([Err(broken)]);
        let (bytes, error) = collect(shape.encode(streams::iter(input), Provisional::Include));
        assert!(error.is_some(), "{shape:?}");
        let whole = all(shape);
        assert!(bytes.len() < whole.len() && whole.as_bytes().starts_with(&bytes));
    }
}

#[test]
fn shape_is_parsed_by_its_name() {
    for shape in Shape::ALL {
        assert_eq!(Shape::parse(shape.name()), Some(shape));
    }
    assert_eq!(Shape::parse("csv"), None);
}
