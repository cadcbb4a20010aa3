//! Downloads, read by openpyxl, pyarrow and Python's csv.

use rollcall_stack_tests::{api_client, client, curl, import, record, session, source, token};

/// Names that a program must quote, or might take for something else than a text.
const USERS: [&str; 10] = [
    "=1+1",
    "+49 30",
    "-dash",
    "@at",
    "0042",
    "true",
    "O'Brien, \"Ann\"",
    "Jürgen;Müller",
    "学生",
    "null",
];

/// Records three days of May 2003, which no other test uses. Sessions overlap, continue after
/// midnight, have no logout, and have a measured active time in part.
fn record_sessions() {
    let mut events = Vec::new();
    for (number, user) in USERS.iter().enumerate() {
        for day in 12..15 {
            let at = |time: &str| format!("2003-05-{day}T{time}Z");
            let active = (number % 3 > 0).then_some(600);
            let end = at("11:30:00");
            let noon = (number != 4).then_some(end.as_str());
            events.extend(session(user, &at("08:00:00.75"), noon, active));
            if number % 2 == 0 {
                let end = format!("2003-05-{}T01:30:00Z", day + 1);
                events.extend(session(user, &at("11:00:00"), Some(&end), Some(60)));
            }
        }
    }
    record(&source(), &events);
}

#[test]
fn downloads_have_the_rows_of_the_json_pages() {
    record_sessions();
    let mappings = [("0042", "00042"), ("学生", "E-学"), ("absent", "E-absent")];
    import(["2003-05-12", "2003-05-14"], &mappings);
    let token = token(&api_client(&["reporting:read"]));
    let days = "start_date=2003-05-12&end_date=2003-05-15";
    let zone = format!("{days}&time_zone=Asia/Kolkata&start_of_day=04:00:00");
    let queries = [
        days.to_owned(),
        format!("{zone}&include=absent&subject=employee"),
        format!("{zone}&attribution=overlap"),
        format!("{days}&group_by=period"),
        "start_date=2003-05-01&end_date=2003-05-01".to_owned(),
    ];
    let mut command = vec!["python3", "/clients/formats.py", &token];
    command.extend(queries.iter().map(String::as_str));
    let rows = client(&command, "");
    assert_eq!(rows.trim(), "30 33 35 10 0");
}

#[test]
fn responses_are_compressed_when_asked_for() {
    record_sessions();
    let token = token(&api_client(&["reporting:read"]));
    let authorization = format!("Authorization: Bearer {token}");
    let path = "/api/v2/attendance?start_date=2003-05-12&end_date=2003-05-15";
    for (format, expected) in [
        ("", Some("gzip")),
        ("&format=csv", Some("gzip")),
        ("&format=ndjson", Some("gzip")),
        // These formats are compressed themselves.
        ("&format=xlsx", None),
        ("&format=parquet", None),
    ] {
        let ask = |more: &[&str]| {
            // The body is binary, so it is not printed.
            let head = ["-o", "/dev/null", "-D", "-", "-H", &authorization];
            let answer = curl(&format!("{path}{format}"), &[&head, more].concat(), "");
            assert_eq!(answer.status, 200, "{format}: {answer:?}");
            answer.header("content-encoding").map(str::to_owned)
        };
        let accepting = ask(&["-H", "Accept-Encoding: gzip"]);
        assert_eq!(accepting.as_deref(), expected, "{format}");
        assert_eq!(ask(&[]), None, "{format}");
    }
}
