//! Tests of name rules, which turn the names that a source reports into user and realm.

use bytes::BytesMut;
use rollcall_credentials::source_keys;
use rollcall_platform::datagram::{Protocol, put_datagram};
use rollcall_store::{set_aside, sources};
use rollcall_test_support::Rollcall;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

fn login(id: &str, user: &str, realm: Option<&str>) -> Value {
    json!({
        "event_id": id, "type": "login", "session_id": id, "user": user, "realm": realm,
        "occurred_at": "2025-02-13T10:00:00Z",
    })
}

async fn send(rollcall: &Rollcall, key: &str, events: &Value) -> Value {
    let response = rollcall.send(key, events).await;
    assert_eq!(response.status(), 200);
    response.json().await.expect("JSON")
}

/// Returns user, realm, reported user and reported realm of each event.
async fn names(rollcall: &Rollcall) -> Vec<String> {
    let query = "SELECT concat_ws(', ', user_name, coalesce(realm, '-'),
            coalesce(reported_user, '-'), coalesce(reported_realm, '-')) AS text
        FROM events ORDER BY event_id";
    rollcall.database.texts(query).await
}

#[tokio::test(flavor = "multi_thread")]
async fn persons_of_one_name_are_one_person() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    let rules = [
        "split=down_level",
        "split=upn",
        "map_realm=corp.example:Corp",
    ];
    rollcall.set_name_rules(&source, &rules).await;
    let events = json!([
        login("1", r"Corp\tim", None),
        login("2", "tim@corp.example", Some("Vpn")),
        login("3", "tim", Some("corp")),
    ]);
    assert_eq!(send(&rollcall, &source, &events).await["accepted"], 3);
    assert_eq!(
        names(&rollcall).await,
        [
            r"tim, Corp, Corp\tim, -",
            "tim, Corp, tim@corp.example, Vpn",
            "tim, corp, -, -"
        ]
    );
    assert_eq!(rollcall.database.count("persons").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn event_sent_again_after_a_change_of_rules_is_a_duplicate() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    let event = login("1", r"CORP\tim", None);
    assert_eq!(send(&rollcall, &source, &event).await["accepted"], 1);
    for (key, rules) in [
        ("second-key", &["strip=down_level"][..]),
        ("third-key", &["split=down_level", "lower_case=realm"]),
        ("fourth-key", &[]),
    ] {
        rollcall.set_name_rules(&source, rules).await;
        // Look-ups by the former key are cached.
        let hash = source_keys::hash(key);
        let rotate =
            async |connection: &mut _| sources::rotate_key(connection, &source, &hash).await;
        assert!(rollcall.operator().ask(rotate).await.expect("rotated"));
        assert_eq!(send(&rollcall, key, &event).await["duplicates"], 1);
        let other = send(&rollcall, key, &login("1", "tim", None)).await;
        assert_eq!(other["rejected"][0]["field"], "event_id", "{other}");
    }
    assert_eq!(names(&rollcall).await, [r"CORP\tim, -, -, -"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn replayed_event_keeps_the_reported_names() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    rollcall.set_name_rules(&source, &["split=upn"]).await;
    for statement in [
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'unknown reason'; END $$",
        "CREATE TRIGGER poison BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse()",
    ] {
        rollcall.database.execute(statement).await;
    }
    send(
        &rollcall,
        &source,
        &login("1", "tim@corp.example", Some("Vpn")),
    )
    .await;
    rollcall
        .database
        .execute("DROP TRIGGER poison ON events")
        .await;
    let mut writer = rollcall.database.writer();
    let replayed = writer.ask(async |connection| {
        let events = set_aside::of_source(connection, 1).await?;
        set_aside::replay(connection, &events[0]).await
    });
    assert!(replayed.await.expect("replayed"));
    let expected = "tim, corp.example, tim@corp.example, Vpn";
    assert_eq!(names(&rollcall).await, [expected]);
}

#[tokio::test(flavor = "multi_thread")]
async fn syslog_message_gets_the_names_of_the_rules() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    rollcall.set_networks(&source, &["192.0.2.0/28"]).await;
    let rules = ["split=upn", "lower_case=user"];
    rollcall.set_name_rules(&source, &rules).await;
    let message = "<86>1 2025-01-01T10:00:00Z gw sshd 7 - - Accepted password for \
        Tim@corp.example from 203.0.113.5 port 51234 ssh2";
    let mut frames = BytesMut::new();
    let peer = "192.0.2.7:40000".parse().expect("an address");
    put_datagram(&mut frames, Protocol::Syslog, peer, message.as_bytes());
    let mut stream = rollcall.socket("datagrams").await;
    stream.write_all(&frames).await.expect("sent");
    while rollcall.database.count("events").await == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let expected = "tim, corp.example, Tim@corp.example, -";
    assert_eq!(names(&rollcall).await, [expected]);
}
