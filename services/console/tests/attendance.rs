//! The attendance page: rows, filters, order, pages and the timeline.

mod common;

use common::{
    Browser, audit,
    events::{event, map, send, stay},
};
use rollcall_test_support::Rollcall;
use serde_json::json;

const MARKUP: &str = "<script>alert(1)</script>\"'&";
const ESCAPED: &str = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;'&amp;";

/// Returns the users of the rows in the table.
fn users(page: &str) -> Vec<String> {
    let table = page.split("<table class=\"rows\">").nth(1).unwrap_or("");
    let rows = table.split("<th scope=\"row\">").skip(1);
    let user = |row: &str| {
        let name = row.split("<bdi>").nth(1)?.split("</bdi>").next()?;
        Some(name.to_owned())
    };
    rows.filter_map(user).collect()
}

/// Returns the target of the link with this `rel`.
fn link(page: &str, rel: &str) -> Option<String> {
    let pages = page
        .split("<nav class=\"pages\"")
        .nth(1)?
        .split("</nav>")
        .next()?;
    let link = pages.split(&format!("<a rel=\"{rel}\" href=\"")).nth(1)?;
    Some(link.split('"').next()?.replace("&amp;", "&"))
}

async fn with_events() -> Rollcall {
    let rollcall = Rollcall::builder().await.time_zone("Europe/Berlin").start();
    let mut events = Vec::new();
    events.extend(stay(
        "1",
        "anna",
        "2025-01-01T08:00:00+01:00",
        "2025-01-01T16:30:00+01:00",
    ));
    events.extend(stay(
        "2",
        "Bernd",
        "2025-01-01T07:00:00+01:00",
        "2025-01-01T09:00:00+01:00",
    ));
    events.push(event("3", "login", "carla", "2025-01-01T10:00:00+01:00"));
    events.push(event("3", "active", "carla", "2025-01-01T12:00:00+01:00"));
    let mut sales = event("4", "login", "dora", "2025-02-13T11:00:00+01:00");
    sales["realm"] = json!("Sales");
    events.push(sales);
    send(&rollcall, "gw-1", &events).await;
    let other = stay(
        "5",
        "emil",
        "2025-01-01T11:00:00+01:00",
        "2025-01-01T12:00:00+01:00",
    );
    send(&rollcall, "gw-2", &other).await;
    rollcall
}

#[tokio::test(flavor = "multi_thread")]
async fn day_has_a_row_for_each_person_with_times_and_badges() {
    let rollcall = with_events().await;
    let mut browser = Browser::signed_in(&rollcall, "reporting:read").await;
    let page = browser.get("/console/?date=2025-01-01").await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert_eq!(users(&page.text), ["anna", "Bernd", "carla", "emil"]);
    for part in [
        "Wednesday, 1 January 2025",
        "Times are in the time zone Europe/Berlin.",
        "<td class=\"time\">08:00</td><td class=\"time\">16:30</td><td class=\"number\">8:30</td><td class=\"number\">1</td>",
        "<span class=\"badge bad\">closed by timeout</span>",
        "/console/person?user=carla&amp;realm=Default&amp;date=2025-01-01",
        "date=2024-12-31",
        "date=2025-01-02",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    let today = browser.get("/console/?state=provisional").await;
    assert_eq!(users(&today.text), ["dora"], "the default is today");
    let badge = |text| {
        today
            .text
            .contains(&format!("<span class=\"badge warning\">{text}</span>"))
    };
    assert!(badge("open") && badge("provisional"), "{}", today.text);
    let entries = audit(&rollcall).await;
    let entry = entries
        .iter()
        .find(|entry| entry.starts_with("console.attendance"));
    assert!(
        entry.is_some_and(|entry| entry.contains("2025-01-01")),
        "{entries:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn week_and_month_have_a_row_for_the_whole_period() {
    let rollcall = with_events().await;
    let mut browser = Browser::signed_in(&rollcall, "reporting:read")
        .await
        .with_header("accept-language", "de");
    let month = browser.get("/console/?range=month&date=2025-01-20").await;
    assert_eq!(users(&month.text), ["anna", "Bernd", "carla", "emil"]);
    assert!(month.text.contains("Januar 2025") && month.text.contains(">2025-01-01 08:00</td>"));
    assert!(month.text.contains("durch Zeitüberschreitung beendet"));
    let week = browser.get("/console/?range=week&date=2025-02-16").await;
    assert_eq!(users(&week.text), ["dora"]);
    assert!(week.text.contains("10. Februar 2025 – 16. Februar 2025"));
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_select_rows() {
    let rollcall = with_events().await;
    map(&rollcall, "anna", "E-77").await;
    let mut browser = Browser::signed_in(&rollcall, "reporting:read").await;
    for (filter, expected) in [
        ("search=ER", vec!["Bernd"]),
        ("search=e-7", vec!["anna"]),
        ("realm=sales", vec![]),
        ("realm=DEFAULT&source=gw-1", vec!["anna", "Bernd", "carla"]),
        ("source=gw-2", vec!["emil"]),
        ("state=timeout", vec!["carla"]),
        ("state=final&search=a", vec!["anna", "carla"]),
        ("state=provisional", vec![]),
        ("state=open", vec![]),
        // Bernd and carla worked for the same time: names decide, in the same direction.
        (
            "sort=worked&direction=desc",
            vec!["anna", "carla", "Bernd", "emil"],
        ),
        ("sort=first", vec!["Bernd", "anna", "carla", "emil"]),
        (
            "sort=name&direction=desc",
            vec!["emil", "carla", "Bernd", "anna"],
        ),
    ] {
        let page = browser
            .get(&format!("/console/?date=2025-01-01&{filter}"))
            .await;
        assert_eq!(page.status, 200, "{filter}");
        assert_eq!(users(&page.text), expected, "{filter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn employees_are_one_row_and_absent_ones_are_included() {
    let rollcall = with_events().await;
    for (user, employee) in [("anna", "E-1"), ("bernd", "E-1"), ("dora", "E-2")] {
        map(&rollcall, user, employee).await;
    }
    let mut browser = Browser::signed_in(&rollcall, "reporting:read").await;
    let page = browser
        .get("/console/?date=2025-01-01&rows=employees&absent=on")
        .await;
    assert_eq!(
        users(&page.text),
        ["anna", "carla", "dora", "emil"],
        "{}",
        page.text
    );
    assert!(
        page.text.contains("<td class=\"number\">9:30</td>"),
        "union of both"
    );
    assert!(
        page.text
            .contains("/console/person?employee=E-1&amp;date=2025-01-01")
    );
    assert!(page.text.contains(">absent</span>"));
    let absent = browser.get("/console/?date=2025-01-01&state=absent").await;
    assert_eq!(users(&absent.text), ["dora"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_lead_forward_and_back_in_each_order() {
    let rollcall = Rollcall::start().await;
    send(
        &rollcall,
        "gw-1",
        &stay("1", "a", "2025-01-05T08:00:00Z", "2025-01-05T09:00:00Z"),
    )
    .await;
    rollcall
        .database
        .add_sessions(250, "'user_' || lpad(n::text, 3, '0')", "'Default'")
        .await;
    let mut browser = Browser::signed_in(&rollcall, "reporting:read").await;
    for order in ["", "&sort=worked&direction=desc", "&view=timeline"] {
        let mut path = format!("/console/?date=2025-01-02{order}");
        let (mut pages, mut back) = (Vec::new(), None);
        loop {
            let page = browser.get(&path).await;
            pages.push(users(&page.text));
            match link(&page.text, "next") {
                Some(next) => path = next,
                None => break back = link(&page.text, "prev").or(back),
            }
        }
        let sizes: Vec<_> = pages.iter().map(Vec::len).collect();
        assert_eq!(sizes, [100, 100, 50], "{order}");
        let mut all: Vec<_> = pages.concat();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 250);
        let page = browser.get(&back.expect("a page before")).await;
        assert_eq!(users(&page.text), pages[1], "{order}");
        assert!(link(&page.text, "prev").is_some() && link(&page.text, "next").is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn timeline_draws_each_session_without_style_attributes() {
    let rollcall = with_events().await;
    let mut browser = Browser::signed_in(&rollcall, "reporting:read").await;
    let page = browser.get("/console/?date=2025-01-01&view=timeline").await;
    let svg = page
        .text
        .split("<svg class=\"timeline\"")
        .nth(1)
        .expect("a timeline");
    let svg = svg.split("</svg>").next().expect("an end");
    // anna was there from 8:00 to 16:30.
    assert!(svg.contains("x=\"33.33%\" width=\"35.42%\""), "{svg}");
    assert_eq!(svg.matches("<rect class=\"bar\"").count(), 4);
    assert_eq!(svg.matches("<rect class=\"timeout\"").count(), 1, "carla");
    assert_eq!(svg.matches("<line ").count(), 24);
    assert!(svg.contains("<title id=\"timeline-title\">") && svg.contains("<desc id="));
    assert!(!page.text.contains("style="));
    let open = browser.get("/console/?view=timeline").await;
    assert!(open.text.contains("<rect class=\"open\""), "{}", open.text);
    let long = browser
        .get("/console/?date=2025-10-26&view=timeline&absent=on")
        .await;
    assert_eq!(long.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn markup_in_names_is_escaped_on_each_page() {
    let rollcall = Rollcall::start().await;
    let events = stay("1", MARKUP, "2025-01-01T08:00:00Z", "2025-01-01T09:00:00Z");
    send(&rollcall, "gw-1", &events).await;
    let name = serde_urlencoded::to_string([("user", MARKUP)]).expect("a query");
    let mut browser = Browser::signed_in(&rollcall, "reporting:read").await;
    for path in [
        "/console/?date=2025-01-01&view=timeline".to_owned(),
        format!(
            "/console/?date=2025-01-01&{}",
            name.replace("user=", "search=")
        ),
        format!("/console/person?{name}&realm=Default&date=2025-01-01"),
        format!("/console/exceptions?from=2025-01-01&to=2025-01-02&{name}"),
        format!("/console/?{name}"),
        format!("/console/?{}", name.replace("user=", "source=")),
    ] {
        let page = browser.get(&path).await;
        let quoted = ESCAPED.replace("&quot;", "\\&quot;");
        let is_escaped = page.text.contains(ESCAPED) || page.text.contains(&quoted);
        assert!(is_escaped, "{path}: {}", page.text);
        assert!(!page.text.contains("<script>alert"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_gets_a_page_that_names_each_field() {
    let rollcall = Rollcall::start().await;
    send(
        &rollcall,
        "gw-1",
        &[event("1", "login", "a", "2025-01-01T08:00:00Z")],
    )
    .await;
    let mut browser = Browser::signed_in(&rollcall, "reporting:read").await;
    for (path, words) in [
        (
            "/console/?date=2025-02-30&x=1",
            vec!["date must be a date", "x is not a field"],
        ),
        (
            "/console/?realm=%FF",
            vec!["realm must be percent-encoded UTF-8"],
        ),
        (
            "/console/?search=a%00",
            vec!["search must have at most 256 bytes"],
        ),
        ("/console/?after=AAAA", vec!["after must come from a link"]),
        ("/console/?calendar=none", vec!["There is no calendar"]),
        ("/console/?source=none", vec!["There is no source"]),
        ("/console/person?user=a", vec!["must name a person"]),
        (
            "/console/person?user=a&realm=b&date=9999-12-31",
            vec!["date must be a date"],
        ),
        (
            "/console/exceptions?from=2025-01-02&to=2025-01-01",
            vec!["The period must be"],
        ),
        ("/console/exceptions?kind=none", vec!["kind has a value"]),
        (
            "/console/download?date=2025-01-01",
            vec!["format has a value"],
        ),
        ("/console/download?format=exe", vec!["format has a value"]),
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 400, "{path}");
        assert!(page.text.contains("role=\"alert\""), "{path}");
        for words in words {
            assert!(page.text.contains(words), "{path}: {words}");
        }
    }
    let last = browser
        .get("/console/?date=9998-12-31&range=week&view=timeline")
        .await;
    assert_eq!(last.status, 200, "{}", last.text);
}
