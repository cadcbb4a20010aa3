//! Pages about the system, and the first steps.

mod common;

use common::Browser;
use jiff::SignedDuration;
use rollcall_store::{Pool, heartbeats};
use rollcall_test_support::Rollcall;
use serde_json::json;

const PAGES: [&str; 6] = [
    "/console/system",
    "/console/system/sources",
    "/console/system/rejected",
    "/console/system/clients",
    "/console/system/audit",
    "/console/first-steps",
];

#[tokio::test(flavor = "multi_thread")]
async fn pages_need_the_scope_admin() {
    let rollcall = Rollcall::start().await;
    let mut reader = Browser::signed_in(&rollcall, "reporting:read").await;
    let mut admin = Browser::signed_in(&rollcall, "reporting:read admin").await;
    assert!(
        !reader
            .get("/console/")
            .await
            .text
            .contains("/console/system")
    );
    for path in PAGES {
        let page = reader.get(path).await;
        assert_eq!(page.status, 403, "{path}");
        assert!(page.text.contains("the scope admin"), "{}", page.text);
        let page = admin.get(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        assert!(page.text.len() < 60_000, "{path}");
        assert!(page.text.contains(r#"aria-current="page""#), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn services_are_shown_by_their_heartbeats() {
    let rollcall = Rollcall::start().await;
    let mut admin = Browser::signed_in(&rollcall, "reporting:read admin").await;
    let page = admin.get("/console/system").await;
    let receiver = "docker compose up --detach receiver";
    assert!(page.text.contains(receiver), "{}", page.text);
    let command = "docker compose up --detach ingestion";
    assert!(page.text.contains(command), "{}", page.text);
    let replica = heartbeats::Replica {
        name: "replica-1".into(),
        version: "1.2.3",
        started_at: "2025-01-01T10:00:00Z".parse().expect("an instant"),
    };
    let pool = Pool::new(&rollcall.database.settings("ingestion")).expect("a pool");
    for (missing, expected) in [("", ">healthy<"), ("redis is <b>down</b>", "&lt;b&gt;down")] {
        let written =
            pool.ask(async |connection| heartbeats::write(connection, &replica, missing).await);
        written.await.expect("written");
        let page = admin.get("/console/system").await;
        assert!(page.text.contains("replica-1") && page.text.contains("1.2.3"));
        assert!(
            page.text.contains(expected) && !page.text.contains(command),
            "{}",
            page.text
        );
    }
    let written =
        pool.ask(async |connection| heartbeats::write_for_receiver(connection, &replica, "").await);
    written.await.expect("written");
    let page = admin.get("/console/system").await;
    assert!(!page.text.contains(receiver), "{}", page.text);
    let silence = "UPDATE heartbeats SET at = at - interval '60 seconds'";
    rollcall.database.execute(silence).await;
    let page = admin.get("/console/system").await;
    assert!(page.text.contains("silent for 6"), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn certificate_authority_is_shown_by_its_latest_check() {
    let rollcall = Rollcall::start().await;
    let mut admin = Browser::signed_in(&rollcall, "reporting:read admin").await;
    let command = "docker compose up --detach ca<";
    let page = admin.get("/console/system").await;
    assert!(page.text.contains(command), "{}", page.text);
    let checked = rollcall
        .settings
        .console
        .certificate_directory
        .join("checked");
    let file = std::fs::File::create(checked).expect("a file");
    for (minutes, time, is_silent) in [(119, "08:54", false), (121, "08:52", true)] {
        let at = rollcall.clock.now() - SignedDuration::from_mins(minutes);
        file.set_modified(at.into()).expect("the time is set");
        let page = admin.get("/console/system").await;
        let check = format!("2025-02-13 {time}</time>");
        assert!(page.text.contains(&check), "{}", page.text);
        assert_eq!(page.text.contains(command), is_silent, "{}", page.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_of_replicas_that_are_gone_are_removed() {
    let rollcall = Rollcall::start().await;
    let started_at = rollcall.clock.now();
    for (role, name) in [("auth", "a"), ("ingestion", "old"), ("ingestion", "new")] {
        let pool = Pool::new(&rollcall.database.settings(role)).expect("a pool");
        let replica = heartbeats::Replica {
            name: name.into(),
            version: "1",
            started_at,
        };
        let written =
            pool.ask(async |connection| heartbeats::write(connection, &replica, "").await);
        written.await.expect("written");
        if name != "new" {
            let past = "UPDATE heartbeats SET at = at - interval '2 hours'";
            rollcall.database.execute(past).await;
        }
    }
    let left = "SELECT service || ' ' || replica AS text FROM heartbeats ORDER BY 1";
    assert_eq!(
        rollcall.database.texts(left).await,
        ["auth a", "ingestion new"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn source_is_shown_with_its_events_and_rejected_input() {
    let rollcall = Rollcall::start().await;
    let mut admin = Browser::signed_in(&rollcall, "reporting:read admin").await;
    let key = rollcall.source().await;
    let page = admin.get("/console/first-steps").await;
    assert!(
        page.text.contains(">to do<") && page.text.contains(">done<"),
        "{}",
        page.text
    );
    let event = json!({
        "event_id": "1", "type": "login", "session_id": "1", "user": "user_4",
        "occurred_at": "2025-02-13T10:53:00Z",
    });
    assert_eq!(rollcall.send(&key, &event).await.status(), 200);
    let page = admin.get("/console/first-steps").await;
    assert!(!page.text.contains(">to do<"), "{}", page.text);
    let reject = "INSERT INTO rejected_inputs (source_id, receiver, reason, count, sample)
        SELECT id, 'syslog', 'no rule matches', 3, '<script>alert(1)</script>' FROM sources";
    rollcall.database.execute(reject).await;
    let page = admin.get("/console/system/sources").await;
    assert!(page.text.contains("2025-02-13 10:53"), "{}", page.text);
    assert!(page.text.contains("Rejected: 3"), "{}", page.text);
    let link = format!("/console/system/rejected?source={key}");
    assert!(page.text.contains(&link), "{}", page.text);
    let page = admin.get(&link).await;
    assert!(page.text.contains("no rule matches"), "{}", page.text);
    assert!(
        page.text.contains("&lt;script&gt;alert(1)"),
        "{}",
        page.text
    );
    let page = admin.get("/console/system/sources?name=none").await;
    assert!(!page.text.contains(&key), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn source_is_complete_through_the_time_that_is_assumed() {
    let rollcall = Rollcall::start().await;
    let mut admin = Browser::signed_in(&rollcall, "reporting:read admin").await;
    rollcall.source().await;
    for (settings, is_shown) in [
        ("assume_complete_seconds = NULL", false),
        ("assume_complete_seconds = 5400", true),
        ("imports_only = true", false),
    ] {
        let change = format!("UPDATE sources SET {settings}");
        rollcall.database.execute(&change).await;
        let page = admin.get("/console/system/sources").await;
        let is_assumed = page.text.contains("2025-02-13 09:23</time>");
        assert_eq!(is_assumed, is_shown, "{settings}: {}", page.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn completeness_of_a_source_is_shown_in_words() {
    let rollcall = Rollcall::start().await;
    let mut admin = Browser::signed_in(&rollcall, "reporting:read admin").await;
    rollcall.source().await;
    for (settings, english, german) in [
        (
            "assume_complete_seconds = NULL",
            "The source states it (complete_through).",
            "Die Quelle meldet sie (complete_through).",
        ),
        (
            "assume_complete_seconds = 5400",
            "Everything counts as received after 1 h 30 min.",
            "Nach 1 h 30 min gilt alles als empfangen.",
        ),
        (
            "imports_only = true",
            "Imports only: rows do not wait for this source.",
            "Nur Importe: Zeilen warten nicht auf diese Quelle.",
        ),
    ] {
        let change = format!("UPDATE sources SET {settings}");
        rollcall.database.execute(&change).await;
        for (language, expected) in [("en", english), ("de", german)] {
            admin = admin.with_header("accept-language", language);
            let page = admin.get("/console/system/sources").await;
            let cell = format!("<td>{expected}</td>");
            assert!(page.text.contains(&cell), "{settings}: {}", page.text);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn locked_client_is_shown_with_the_command_that_unlocks_it() {
    let rollcall = Rollcall::start().await;
    let mut admin = Browser::signed_in(&rollcall, "reporting:read admin").await;
    let (name, _) = rollcall.client("reporting:read").await;
    for guess in 0..5 {
        let mut other = Browser::new(&rollcall);
        assert_eq!(other.sign_in(&name, &guess.to_string()).await.status, 401);
    }
    let page = admin.get("/console/system/clients").await;
    assert!(
        page.text.contains("2025-02-13 10:53"),
        "the admin's sign-in: {}",
        page.text
    );
    let command = format!("scripts/rollcall client unlock {name}");
    assert!(page.text.contains(&command), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_log_is_filtered_and_paged_without_a_gap() {
    let rollcall = Rollcall::start().await;
    let mut admin = Browser::signed_in(&rollcall, "reporting:read admin").await;
    // All have the same time, so that only the number orders them.
    let entries = "INSERT INTO audit_log (at, actor, action, detail)
        SELECT now(), 'somebody', 'test.entry', jsonb_build_object('n', n)
        FROM generate_series(1, 250) AS n";
    rollcall.database.execute(entries).await;
    let mut path = "/console/system/audit?actor=somebody&action=test.".to_owned();
    let mut seen = Vec::new();
    let number = regex::Regex::new(r"\{&quot;n&quot;:(\d+)\}").expect("a pattern");
    let next = regex::Regex::new(r#"rel="next" href="([^"]+)""#).expect("a pattern");
    loop {
        let page = admin.get(&path).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let numbers = number.captures_iter(&page.text);
        seen.extend(numbers.map(|found| found[1].parse::<u32>().expect("a number")));
        let Some(found) = next.captures(&page.text) else {
            break;
        };
        path = found[1].replace("&amp;", "&");
    }
    assert_eq!(seen, (1..=250).rev().collect::<Vec<_>>());
    let page = admin
        .get("/console/system/audit?action=console.sign_in")
        .await;
    assert!(page.text.contains("192.0.2.1") && !page.text.contains("somebody"));
    let page = admin.get("/console/system/audit?to=2025-01-01").await;
    assert!(page.text.contains("no such entry"), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_input_gets_a_page_that_names_the_field() {
    let rollcall = Rollcall::start().await;
    let mut admin = Browser::signed_in(&rollcall, "reporting:read admin").await;
    for (path, expected) in [
        (
            "/console/system/audit?from=2025-02-30",
            "The field from must be a calendar day",
        ),
        ("/console/system/audit?to=%3Cb%3E", "&lt;b&gt;"),
        ("/console/system/audit?actor=%00", "The field actor"),
        ("/console/system/audit?after=1", "no such page"),
        (
            "/console/system/audit?actor=a&actor=b",
            "actor must occur only once",
        ),
        ("/console/system/sources?page=0", "no such page"),
        ("/console/system/sources?page=2", "no such page"),
        (
            "/console/system/rejected?source=none",
            "There is no source &quot;none&quot;",
        ),
        ("/console/system/rejected?source=%00", "There is no source"),
    ] {
        let page = admin.get(path).await;
        assert_eq!(page.status, 400, "{path}");
        assert!(page.text.contains(expected), "{path}: {}", page.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_complete_in_german() {
    let rollcall = Rollcall::start().await;
    let mut admin = Browser::signed_in(&rollcall, "reporting:read admin")
        .await
        .with_header("accept-language", "de");
    for path in PAGES {
        let page = admin.get(path).await;
        assert!(
            page.text.contains(r#"lang="de""#) && page.text.contains("Abmelden"),
            "{path}"
        );
    }
}
