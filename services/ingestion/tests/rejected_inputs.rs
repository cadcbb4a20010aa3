//! Rejected input is counted for each source with its reason and the latest sample.

use std::time::Duration;

use bytes::BytesMut;
use rollcall_platform::datagram::{Protocol, put_datagram};
use rollcall_test_support::{
    Proxy, Rollcall,
    radius::{request, start},
};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::UnixStream};

async fn with_source() -> (Rollcall, String) {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    rollcall.set_networks(&source, &["192.0.2.0/28"]).await;
    (rollcall, source)
}

/// Sends datagrams, as the receiver forwards them. The connection must be kept.
async fn send(rollcall: &Rollcall, from: &str, protocol: Protocol, data: &[&[u8]]) -> UnixStream {
    let mut frames = BytesMut::new();
    for payload in data {
        let peer = format!("{from}:40000").parse().expect("an address");
        put_datagram(&mut frames, protocol, peer, payload);
    }
    let mut stream = rollcall.socket("datagrams").await;
    stream.write_all(&frames).await.expect("sent");
    stream
}

/// Waits until the rows are as expected: source ID, receiver, reason, count and sample.
async fn eventually(rollcall: &Rollcall, expected: &[&str]) {
    let query = "SELECT concat_ws(' | ', source_id, receiver, reason, count, sample) AS text
        FROM rejected_inputs ORDER BY 1";
    let mut rows = Vec::new();
    for _ in 0..300 {
        rows = rollcall.database.texts(query).await;
        if rows == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(rows, expected);
}

fn event(id: &str, kind: &str, user: &str) -> Value {
    json!({
        "event_id": id, "type": kind, "session_id": "s", "user": user,
        "occurred_at": "2025-02-13T10:00:00Z",
    })
}

const JOB: &[u8] = b"<13>Feb 12 09:00:01 gw cron[8]: a job";

#[tokio::test(flavor = "multi_thread")]
async fn records_that_no_rule_takes_are_counted_with_the_latest_sample() {
    let (rollcall, _) = with_source().await;
    let _first = send(&rollcall, "192.0.2.7", Protocol::Syslog, &[JOB]).await;
    eventually(
        &rollcall,
        &["1 | syslog | no rule | 1 | <13>Feb 12 09:00:01 gw cron[8]: a job"],
    )
    .await;
    let with_tab: &[u8] = b"<13>Feb 12 09:00:02 gw cron[8]: another\tjob";
    let _second = send(&rollcall, "192.0.2.7", Protocol::Syslog, &[with_tab]).await;
    let expected = "1 | syslog | no rule | 2 | <13>Feb 12 09:00:02 gw cron[8]: another\u{fffd}job";
    eventually(&rollcall, &[expected]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_a_rule_ignores_is_not_counted() {
    let (rollcall, _) = with_source().await;
    let ignored: &[u8] = b"<13>Feb 12 09:00:01 gw openvpn[9]: [UNDEF] Peer Connection Initiated \
        with [AF_INET]203.0.113.7:1";
    let _gateway = send(&rollcall, "192.0.2.7", Protocol::Syslog, &[ignored, JOB]).await;
    eventually(
        &rollcall,
        &["1 | syslog | no rule | 1 | <13>Feb 12 09:00:01 gw cron[8]: a job"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_with_different_invalid_values_are_one_reason() {
    let (rollcall, _) = with_source().await;
    let message = |kind: &str| {
        format!(
            "<134>1 2025-01-01T10:00:00Z gw app - - [rollcall@32473 type=\"{kind}\" \
             session_id=\"s\" user=\"u\"]"
        )
    };
    let last = message("b");
    let messages = [message("a"), last.clone()];
    let messages = messages.each_ref().map(String::as_bytes);
    let _gateway = send(&rollcall, "192.0.2.7", Protocol::Syslog, &messages).await;
    let reason = "type must be one of login, active, logout, restart";
    eventually(&rollcall, &[&format!("1 | syslog | {reason} | 2 | {last}")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_addresses_share_one_row_with_the_latest_address() {
    let (rollcall, _) = with_source().await;
    let _first = send(&rollcall, "198.51.100.8", Protocol::Syslog, &[b"<13>a"]).await;
    let row = |count, address| {
        format!(
            "0 | syslog | the address is in no source network: see scripts/rollcall source \
             set-networks | {count} | {address}"
        )
    };
    eventually(&rollcall, &[&row(1, "198.51.100.8")]).await;
    let _second = send(&rollcall, "198.51.100.9", Protocol::Syslog, &[b"<13>a"]).await;
    eventually(&rollcall, &[&row(2, "198.51.100.9")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn radius_packet_with_another_secret_is_counted() {
    let (rollcall, _) = with_source().await;
    let packet = request("another-secret-of-16", &start("one"));
    let _gateway = send(&rollcall, "192.0.2.7", Protocol::Radius, &[&packet]).await;
    let query = "SELECT receiver || ' ' || reason || ' ' || (sample LIKE '%asha%') AS text
        FROM rejected_inputs";
    let expected = "radius the packet is not authentic, because its authenticator is wrong: check \
        the shared secret true";
    for _ in 0..100 {
        if rollcall.database.count("rejected_inputs").await > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(rollcall.database.texts(query).await, [expected]);
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_event_in_a_request_is_counted_with_its_text() {
    let (rollcall, source) = with_source().await;
    let invalid = event("2", "arrive", "user_4");
    let events = json!([event("1", "login", "user_4"), invalid]);
    assert_eq!(rollcall.send(&source, &events).await.status(), 200);
    let reason = "type must be one of login, active, logout, restart";
    eventually(
        &rollcall,
        &[&format!("1 | http | {reason} | 1 | {invalid}")],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn event_in_conflict_is_counted_with_its_event_id() {
    let (rollcall, source) = with_source().await;
    for user in ["asha", "bert"] {
        let event = event("e-1", "login", user);
        assert_eq!(rollcall.send(&source, &event).await.status(), 200);
    }
    let reason = "event_id is in conflict: another event with this ID is recorded";
    eventually(&rollcall, &[&format!("1 | http | {reason} | 1 | e-1")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn body_that_is_not_json_is_counted() {
    let (rollcall, source) = with_source().await;
    let body = b"hello".to_vec();
    let answer = rollcall.send_body(&source, "application/json", body).await;
    assert_eq!(answer.status(), 400);
    eventually(
        &rollcall,
        &["1 | http | The body is not JSON: expected value | 1 | hello"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_are_written_after_the_database_returns() {
    let proxy = Proxy::new(rollcall_test_support::postgres()).await;
    let rollcall = Rollcall::builder()
        .await
        .postgres(proxy.address)
        .set(|settings| settings.database.wait_milliseconds = 500)
        .start();
    let source = rollcall.source().await;
    let invalid = event("1", "arrive", "user_4");
    let row = |count| {
        let reason = "type must be one of login, active, logout, restart";
        format!("1 | http | {reason} | {count} | {invalid}")
    };
    assert_eq!(rollcall.send(&source, &invalid).await.status(), 200);
    eventually(&rollcall, &[&row(1)]).await;
    assert_eq!(rollcall.send(&source, &invalid).await.status(), 200);
    proxy.cut();
    tokio::time::sleep(Duration::from_secs(5)).await;
    proxy.restore();
    eventually(&rollcall, &[&row(2)]).await;
}
