//! Downloads and exceptions.

mod common;

use common::{
    Browser, audit,
    events::{event, map, send, stay},
};
use rollcall_test_support::Rollcall;

async fn with_events() -> Rollcall {
    let rollcall = Rollcall::builder().await.time_zone("Europe/Berlin").start();
    let mut events = Vec::new();
    events.extend(stay(
        "1",
        "anna",
        "2025-01-01T08:00:00+01:00",
        "2025-01-01T16:30:00+01:00",
    ));
    events.push(event("2", "login", "bernd", "2025-01-01T07:00:00+01:00"));
    send(&rollcall, "gw-1", &events).await;
    rollcall
}

#[tokio::test(flavor = "multi_thread")]
async fn file_has_the_rows_of_the_filters() {
    let rollcall = with_events().await;
    let mut browser = Browser::signed_in(&rollcall, "reporting:read").await;
    let page = browser.get("/console/?date=2025-01-01&state=timeout").await;
    let path = "/console/download?format=csv&amp;range=day&amp;date=2025-01-01&amp;state=timeout";
    assert!(page.text.contains(path), "{}", page.text);
    let csv = browser.get(&path.replace("&amp;", "&")).await;
    assert_eq!(csv.status, 200, "{}", csv.text);
    assert_eq!(
        csv.headers["content-disposition"],
        "attachment; filename=\"attendance_2025-01-01_2025-01-01.csv\""
    );
    assert_eq!(csv.headers["cache-control"], "no-store");
    assert!(csv.text.starts_with('\u{feff}'), "a byte order mark");
    let lines: Vec<&str> = csv.text.lines().collect();
    assert_eq!(lines.len(), 2, "{}", csv.text);
    assert!(lines[1].starts_with("2025-01-01,bernd,Default,,2025-01-01T07:00:00+01:00,"));
    let entries = audit(&rollcall).await;
    assert!(
        entries
            .iter()
            .any(|entry| entry.starts_with("console.download")),
        "{entries:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_format_is_offered() {
    let rollcall = with_events().await;
    map(&rollcall, "anna", "E-1").await;
    map(&rollcall, "bernd", "E-2").await;
    let mut browser = Browser::signed_in(&rollcall, "reporting:read").await;
    for format in [
        "csv",
        "ndjson",
        "xlsx",
        "parquet",
        "frappe",
        "odoo",
        "zoho",
        "greythr",
        "keka",
        "orangehrm",
    ] {
        let path = format!("/console/download?format={format}&range=month&date=2025-01-01");
        let file = browser.get(&path).await;
        assert_eq!(file.status, 200, "{format}: {}", file.text);
        assert!(!file.headers.contains_key("content-encoding"), "{format}");
        let name = file.headers["content-disposition"].to_str().expect("text");
        assert!(name.contains("2025-01-01_2025-01-31"), "{name}");
        match format {
            "xlsx" => assert!(file.text.starts_with("PK")),
            "parquet" => assert!(file.text.starts_with("PAR1")),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hr_system_gets_no_file_while_persons_lack_an_employee() {
    let rollcall = with_events().await;
    map(&rollcall, "anna", "E-1").await;
    let mut browser = Browser::signed_in(&rollcall, "reporting:read").await;
    let path = "/console/download?format=frappe&date=2025-01-01";
    let page = browser.get(path).await;
    assert_eq!(page.status, 409, "{}", page.text);
    for part in [
        "Persons without an employee in this period: 1.",
        "/console/person?user=bernd&amp;realm=Default&amp;date=2025-01-01",
        "the scope attendance:write",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert!(!page.text.contains("/console/people/mapping"));
    let mut writer = Browser::signed_in(&rollcall, "reporting:read attendance:write").await;
    let page = writer.get(path).await;
    assert_eq!(page.status, 409, "{}", page.text);
    assert!(
        page.text.contains("/console/people/mapping"),
        "{}",
        page.text
    );
    assert!(!page.text.contains("attendance:write"), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_to_files_have_only_what_applies() {
    let rollcall = with_events().await;
    let mut browser = Browser::signed_in(&rollcall, "reporting:read").await;
    let page = browser
        .get(
            "/console/?date=2025-01-01&realm=default&search=an&state=timeout&rows=employees\
             &absent=on&sort=worked&direction=desc",
        )
        .await;
    let rows = "&amp;range=day&amp;date=2025-01-01";
    for link in [
        format!("format=frappe{rows}&amp;realm=default\""),
        format!(
            "format=csv{rows}&amp;rows=employees&amp;absent=on&amp;search=an&amp;realm=default\
             &amp;state=timeout\""
        ),
    ] {
        assert!(page.text.contains(&link), "{link}: {}", page.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_most_a_hundred_persons_without_an_employee_are_listed() {
    let rollcall = with_events().await;
    rollcall
        .database
        .add_sessions(150, "'user_' || lpad(n::text, 3, '0')", "'Default'")
        .await;
    let mut browser = Browser::signed_in(&rollcall, "reporting:read").await;
    let page = browser
        .get("/console/download?format=odoo&date=2025-01-02")
        .await;
    assert_eq!(page.status, 409, "{}", page.text);
    assert!(
        page.text.contains("The first 100 of 150 persons:"),
        "{}",
        page.text
    );
    assert_eq!(page.text.matches("/console/person?user=").count(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn exceptions_say_what_they_mean_and_what_to_do() {
    let rollcall = with_events().await;
    let mut browser = Browser::signed_in(&rollcall, "reporting:read").await;
    let page = browser
        .get("/console/exceptions?from=2025-01-01&to=2025-01-01")
        .await;
    assert_eq!(page.status, 200, "{}", page.text);
    for part in [
        "Closed by timeout",
        "The session ends at its last activity, 07:00.",
        "Ask the person when they left, if the time matters.",
        "/console/person?user=bernd&amp;realm=Default&amp;date=2025-01-01",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    let other = "/console/exceptions?from=2025-01-01&to=2025-01-01&kind=clock_skew&user=anna";
    let none = browser.get(other).await;
    assert!(
        none.text.contains("There is no exception in this period."),
        "{}",
        none.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn exceptions_have_pages() {
    let rollcall = with_events().await;
    map(&rollcall, "anna", "E-1").await;
    rollcall
        .database
        .add_sessions(150, "'user_' || lpad(n::text, 3, '0')", "'Default'")
        .await;
    let mut browser = Browser::signed_in(&rollcall, "reporting:read").await;
    let path = "/console/exceptions?from=2025-01-02&to=2025-01-02&kind=person_without_employee";
    let first = browser.get(path).await;
    let count = |text: &str| text.matches("<th scope=\"row\">").count();
    assert_eq!(count(&first.text), 100, "{}", first.text);
    let next = first
        .text
        .split("<a rel=\"next\" href=\"")
        .nth(1)
        .expect("a next page");
    let next = next
        .split('"')
        .next()
        .expect("an address")
        .replace("&amp;", "&");
    let second = browser.get(&next).await;
    assert_eq!(count(&second.text), 50, "{}", second.text);
    assert!(!second.text.contains("rel=\"next\""));
}
