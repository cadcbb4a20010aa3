//! The page of a person: the month, and a day with its evidence.

mod common;

use common::{
    Browser,
    events::{event, map, send, stay},
};
use rollcall_test_support::Rollcall;
use serde_json::{Value, json};

const PAGE: &str = "/console/person?user=anna&realm=default&date=2025-01-01";

async fn page(events: &[Value], language: &str) -> String {
    let rollcall = Rollcall::builder().await.time_zone("Europe/Berlin").start();
    send(&rollcall, "gw-1", events).await;
    let mut browser = Browser::signed_in(&rollcall, "reporting:read")
        .await
        .with_header("accept-language", language);
    let page = browser.get(PAGE).await;
    assert_eq!(page.status, 200, "{}", page.text);
    page.text
}

fn restarted() -> Vec<Value> {
    let restart = |at: &str| json!({"event_id": format!("restart {at}"), "type": "restart", "occurred_at": at});
    vec![
        event("1", "login", "anna", "2025-01-01T08:00:00+01:00"),
        event("1", "active", "anna", "2025-01-01T17:58:00+01:00"),
        restart("2025-01-01T18:04:00+01:00"),
        restart("2025-01-20T03:00:00+01:00"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn session_closed_by_restart_names_the_restart_that_closed_it() {
    let text = page(&restarted(), "en").await;
    let sentence = "The logout is missing: the gateway gw-1 restarted at 18:04, so the session \
                    ends at its last activity, 17:58.";
    assert!(text.contains(sentence), "{text}");
    assert!(text.contains("gw-1 reported the login at 08:00."));
    assert!(text.contains("January 2025") && text.contains("9:58 h"));
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_is_in_german_too() {
    let text = page(&restarted(), "de").await;
    let sentence = "Die Abmeldung fehlt: Das Gateway gw-1 wurde um 18:04 Uhr neu gestartet. \
                    Deshalb endet die Sitzung mit ihrer letzten Aktivität um 17:58 Uhr.";
    assert!(text.contains(sentence), "{text}");
    assert!(text.contains("Anwesenheit von anna") && text.contains("Januar 2025"));
}

#[tokio::test(flavor = "multi_thread")]
async fn session_closed_by_timeout_says_which() {
    let silent = [event("1", "login", "anna", "2025-01-01T08:00:00+01:00")];
    let text = page(&silent, "en").await;
    assert!(
        text.contains("gw-1 reported no activity for more than 24 h"),
        "{text}"
    );
    let mut announcing = event("1", "login", "anna", "2025-01-01T08:00:00+01:00");
    announcing["next_in_seconds"] = json!(600);
    let later = event("2", "login", "bob", "2025-01-01T09:00:00+01:00");
    let text = page(&[announcing, later], "en").await;
    let sentence = "gw-1 announced an activity for 08:10, which did not come";
    assert!(text.contains(sentence), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_listed_with_what_they_say() {
    let mut login = event("1", "login", "anna", "2025-01-01T08:00:00+01:00");
    login["client_ip"] = json!("192.0.2.7");
    login["device"] = json!("<b>laptop</b>");
    let mut logout = event("1", "logout", "anna", "2025-01-01T09:00:00+01:00");
    logout["reason"] = json!("User-Request");
    let text = page(&[login, logout], "en").await;
    for part in [
        "with the reason “User-Request”",
        "192.0.2.7",
        "&lt;b&gt;laptop&lt;/b&gt;",
        "Events: 2",
        "<td>http",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn employee_has_the_sessions_of_all_persons() {
    let rollcall = Rollcall::start().await;
    let mut events = Vec::new();
    events.extend(stay(
        "1",
        "anna",
        "2025-01-01T08:00:00Z",
        "2025-01-01T10:00:00Z",
    ));
    events.extend(stay(
        "2",
        "anna-laptop",
        "2025-01-01T12:00:00Z",
        "2025-01-01T13:00:00Z",
    ));
    send(&rollcall, "gw-1", &events).await;
    map(&rollcall, "anna", "E-1").await;
    map(&rollcall, "anna-laptop", "E-1").await;
    let mut browser = Browser::signed_in(&rollcall, "reporting:read").await;
    let page = browser
        .get("/console/person?employee=E-1&date=2025-01-01")
        .await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("Attendance of E-1"));
    assert_eq!(
        page.text.matches("<article class=\"session\">").count(),
        2,
        "{}",
        page.text
    );
    assert!(page.text.contains("<dd>3:00</dd>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn person_without_sessions_has_an_empty_month() {
    let text = page(
        &[event("1", "login", "bob", "2025-01-01T08:00:00+01:00")],
        "en",
    )
    .await;
    assert!(
        text.contains("There is no session that begins on this day."),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn provisional_row_says_for_which_source_it_waits() {
    let rollcall = Rollcall::builder().await.time_zone("Europe/Berlin").start();
    let (from, to) = ("2025-01-01T08:00:00+01:00", "2025-01-01T09:00:00+01:00");
    send(&rollcall, "gw-1", &stay("1", "anna", from, to)).await;
    let mut browser = Browser::signed_in(&rollcall, "reporting:read").await;
    for (complete_through, expected) in [
        (
            "NULL",
            "The source gw-1 has not yet said through when it is complete.",
        ),
        (
            "'2025-01-01T10:00:00Z'",
            "The source gw-1 is complete only through 11:00.",
        ),
    ] {
        let change = format!(
            "UPDATE sources SET created_at = '2024-01-01', complete_through = {complete_through}"
        );
        rollcall.database.execute(&change).await;
        let page = browser.get(PAGE).await;
        for part in ["The row of 1 January 2025 is provisional:", expected] {
            assert!(page.text.contains(part), "{part}: {}", page.text);
        }
    }
    let complete = "UPDATE sources SET complete_through = '2025-01-02T00:00:00Z'";
    rollcall.database.execute(complete).await;
    let page = browser.get(PAGE).await;
    assert!(!page.text.contains("is provisional"), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn provisional_row_of_today_says_what_has_not_ended() {
    let rollcall = Rollcall::builder().await.time_zone("Europe/Berlin").start();
    let login = event("1", "login", "anna", "2025-02-13T08:00:00+01:00");
    send(&rollcall, "gw-1", &[login]).await;
    let mut browser = Browser::signed_in(&rollcall, "reporting:read")
        .await
        .with_header("accept-language", "de");
    let page = browser.get("/console/person?user=anna&realm=default").await;
    for part in [
        "Die Zeile für den 13. Februar 2025 ist vorläufig:",
        "Eine Sitzung ist offen.",
        "Der Tag endet um 00:00 Uhr am 14. Februar 2025.",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
}
