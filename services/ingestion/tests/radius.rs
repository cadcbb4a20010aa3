//! Tests of RADIUS accounting requests, as the datagram receiver forwards them.

use std::time::Duration;

use bytes::BytesMut;
use rollcall_platform::datagram::{self, Frame, Protocol};
use rollcall_store::sources;
use rollcall_test_support::{
    Rollcall,
    radius::{request, signed_request, start},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

/// Connects like a receiver and reads the source networks, which ingestion sends first.
async fn receiver(rollcall: &Rollcall) -> UnixStream {
    let mut stream = rollcall.socket("datagrams").await;
    assert!(matches!(frame(&mut stream).await, Some(Frame::Networks(_))));
    stream
}

async fn frame(stream: &mut UnixStream) -> Option<Frame> {
    let mut buffer = BytesMut::new();
    let read = async {
        loop {
            stream.read_buf(&mut buffer).await.expect("read");
            if let Some(frame) = datagram::take(&mut buffer).expect("a frame") {
                return frame;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), read)
        .await
        .ok()
}

async fn send(stream: &mut UnixStream, packet: &[u8]) {
    let mut buffer = BytesMut::new();
    let peer = "192.0.2.7:1813".parse().expect("an address");
    datagram::put_datagram(&mut buffer, Protocol::Radius, peer, packet);
    stream.write_all(&buffer).await.expect("sent");
}

async fn with_source() -> (Rollcall, String) {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    rollcall.set_networks(&source, &["192.0.2.0/28"]).await;
    (rollcall, source)
}

#[tokio::test(flavor = "multi_thread")]
async fn receiver_gets_the_source_networks_and_each_change() {
    let (rollcall, source) = with_source().await;
    let mut stream = rollcall.socket("datagrams").await;
    let mut received = frame(&mut stream).await.expect("networks");
    // The first query of the source networks may have run before the source was added.
    if received == Frame::Networks(vec![]) {
        received = frame(&mut stream).await.expect("networks");
    }
    let network = |text: &str| text.parse().expect("a network");
    assert_eq!(received, Frame::Networks(vec![network("192.0.2.0/28")]));
    rollcall
        .set_networks(
            &source,
            &["198.51.100.0/25", "198.51.100.128/25", "2001:db8::7"],
        )
        .await;
    let changed = vec![network("198.51.100.0/24"), network("2001:db8::7/128")];
    assert_eq!(frame(&mut stream).await, Some(Frame::Networks(changed)));
}

#[tokio::test(flavor = "multi_thread")]
async fn request_without_required_message_authenticator_gets_no_response() {
    let (rollcall, source) = with_source().await;
    let operator = rollcall.operator();
    let required = operator.ask(async |connection| {
        sources::require_message_authenticator(connection, &source, true).await
    });
    assert!(required.await.expect("set"));
    let mut stream = receiver(&rollcall).await;
    send(&mut stream, &request(&source, &start("unsigned"))).await;
    send(&mut stream, &signed_request(&source, &start("signed"))).await;
    let answer = loop {
        match frame(&mut stream).await.expect("a response") {
            Frame::Datagram { payload, .. } => break payload,
            Frame::Networks(_) | Frame::Heartbeat(_) => {}
        }
    };
    assert_eq!(answer[..2], [5, 1]);
    let sessions = "SELECT session_id AS text FROM sessions";
    assert_eq!(rollcall.database.texts(sessions).await, ["gateway/signed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn request_gets_the_names_of_the_rules_and_its_retransmission_is_a_duplicate() {
    let (rollcall, source) = with_source().await;
    let rules = ["map_realm=Default:Corp"];
    rollcall.set_name_rules(&source, &rules).await;
    for key in ["one", "one", "two"] {
        let mut stream = receiver(&rollcall).await;
        send(&mut stream, &request(&source, &start(key))).await;
        while !matches!(frame(&mut stream).await, Some(Frame::Datagram { .. })) {}
    }
    let names = "SELECT concat_ws(', ', user_name, realm, reported_user) AS text FROM events";
    let names = rollcall.database.texts(names).await;
    assert_eq!(names, ["asha, Corp, asha"; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn request_from_outside_the_source_networks_gets_no_response() {
    let (rollcall, source) = with_source().await;
    rollcall.set_networks(&source, &["198.51.100.0/24"]).await;
    let mut stream = receiver(&rollcall).await;
    send(&mut stream, &request(&source, &start("one"))).await;
    let answered = loop {
        match frame(&mut stream).await {
            Some(Frame::Networks(_)) => {}
            other => break other,
        }
    };
    assert_eq!(answered, None);
    assert_eq!(rollcall.database.count("events").await, 0);
}
