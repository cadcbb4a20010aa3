//! Tests of the datagram receiver, with the real ingestion and with simulated replicas.

use std::{net::SocketAddr, path::Path, time::Duration};

use bytes::BytesMut;
use rollcall_platform::{
    datagram::{self, Frame},
    settings::Settings,
};
use rollcall_receiver::{
    counters::Outcome,
    startup::{self, Receiver},
};
use rollcall_test_support::{Rollcall, radius};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UdpSocket, UnixListener, UnixStream},
};

fn start(settings: &Settings) -> Receiver {
    startup::build(settings).expect("a receiver")
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..400 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("timed out while waiting for {what}");
}

async fn gateway(receiver: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    socket.connect(receiver).await.expect("connected");
    socket
}

/// Settings of a receiver without ingestion, with a directory of its own.
fn alone(name: &str) -> Settings {
    let mut settings = Settings::load().expect("settings");
    let any_port = "127.0.0.1:0".parse().expect("an address");
    settings.server.internal_address = any_port;
    settings.receiver.radius_address = any_port;
    settings.receiver.syslog_address = any_port;
    let directory = std::env::temp_dir().join(format!("receiver-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    settings.receiver.socket_directory = directory;
    settings
}

/// Simulates a replica to which the receiver connects. It sends the source network 127.0.0.0/8.
async fn replica(directory: &Path, name: &str) -> UnixStream {
    let file = directory.join(format!("datagrams.{name}.sock"));
    let listener = UnixListener::bind(&file).expect("a socket");
    let (mut stream, _) = listener.accept().await.expect("the receiver");
    std::fs::remove_file(file).expect("removed");
    let mut frame = BytesMut::new();
    datagram::put_networks(&mut frame, &["127.0.0.0/8".parse().expect("a network")]);
    stream.write_all(&frame).await.expect("sent");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn radius_request_is_answered_after_it_is_stored_and_dropped_after_its_network_is_removed() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    rollcall.set_networks(&source, &["127.0.0.0/8"]).await;
    let mut settings = rollcall.settings.clone();
    settings.server.internal_address.set_port(0);
    let receiver = start(&settings);
    let gateway = gateway(receiver.radius).await;
    until("the source networks", || receiver.forwarder.check().is_ok()).await;
    let request = radius::request(&source, &radius::start("one"));
    let mut answer = [0; 100];
    for attempt in 0.. {
        gateway.send(&request).await.expect("sent");
        let response = gateway.recv(&mut answer);
        if tokio::time::timeout(Duration::from_secs(2), response)
            .await
            .is_ok()
        {
            break;
        }
        assert!(attempt < 10, "no answer");
    }
    assert_eq!(answer[..2], [5, 1], "Accounting-Response to the request");
    assert_eq!(rollcall.database.count("events").await, 1);
    let dropped = || receiver.forwarder.counters.get(Outcome::UnknownAddress);
    let dropped_before = dropped();

    // After the source network has changed, datagrams from this address are dropped as soon as the
    // receiver knows the change.
    rollcall.set_networks(&source, &["192.0.2.0/28"]).await;
    for _ in 0..100 {
        gateway.send(b"x").await.expect("sent");
        if dropped() > dropped_before {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the address is still known");
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeat_of_the_receiver_is_written_by_ingestion() {
    let rollcall = Rollcall::start().await;
    let mut settings = rollcall.settings.clone();
    settings.server.internal_address.set_port(0);
    let receiver = start(&settings);
    until("the source networks", || receiver.forwarder.check().is_ok()).await;
    let healthy = "SELECT service AS text FROM heartbeats WHERE missing = ''";
    for _ in 0..150 {
        if rollcall.database.texts(healthy).await == ["receiver"] {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("there is no heartbeat of the receiver");
}

#[tokio::test(flavor = "multi_thread")]
async fn datagram_is_dropped_while_networks_are_unknown_or_its_address_is_in_none() {
    let settings = alone("unknown");
    let receiver = start(&settings);
    let counters = receiver.forwarder.counters.clone();
    let unknown_gateway = gateway(receiver.syslog).await;
    unknown_gateway.send(b"early").await.expect("sent");
    until("the drop", || counters.get(Outcome::NetworksUnknown) == 1).await;
    assert!(receiver.forwarder.check().is_err());
    let mut replica = replica(&settings.receiver.socket_directory, "one").await;
    let mut frame = BytesMut::new();
    datagram::put_networks(&mut frame, &["192.0.2.0/28".parse().expect("a network")]);
    replica.write_all(&frame).await.expect("sent");
    until("readiness", || receiver.forwarder.check().is_ok()).await;
    // Wait until the networks of the second frame have replaced those of the first.
    tokio::time::sleep(Duration::from_millis(200)).await;
    for number in 1..=200 {
        unknown_gateway.send(&[0; 20]).await.expect("sent");
        until("the drop", || {
            counters.get(Outcome::UnknownAddress) == number
        })
        .await;
    }
    assert_eq!(counters.get(Outcome::Forwarded), 0);
    let nothing = tokio::time::timeout(Duration::from_millis(100), replica.read_u8()).await;
    assert!(nothing.is_err(), "ingestion got {nothing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn address_over_its_rate_limit_loses_datagrams() {
    let mut settings = alone("rate");
    settings.receiver.datagrams_per_second = 1;
    settings.receiver.burst_datagrams = 5;
    let receiver = start(&settings);
    let counters = receiver.forwarder.counters.clone();
    let _replica = replica(&settings.receiver.socket_directory, "one").await;
    until("readiness", || receiver.forwarder.check().is_ok()).await;
    let sender = gateway(receiver.syslog).await;
    for number in 1..=50 {
        sender.send(b"x").await.expect("sent");
        let seen = || counters.get(Outcome::Forwarded) + counters.get(Outcome::OverRate);
        until("the datagram", || seen() == number).await;
    }
    let forwarded = counters.get(Outcome::Forwarded);
    assert!((5..25).contains(&forwarded), "{forwarded}");
}

#[tokio::test(flavor = "multi_thread")]
async fn gateway_keeps_its_replica_until_the_replica_disconnects() {
    let settings = alone("replicas");
    let receiver = start(&settings);
    let directory = &settings.receiver.socket_directory;
    let mut one = replica(directory, "one").await;
    let mut two = replica(directory, "two").await;
    until("readiness", || receiver.forwarder.check().is_ok()).await;
    let mut gateways = Vec::new();
    for _ in 0..16 {
        gateways.push(gateway(receiver.radius).await);
    }
    for _ in 0..3 {
        for gateway in &gateways {
            gateway.send(b"x").await.expect("sent");
        }
    }
    let counters = receiver.forwarder.counters.clone();
    until("all of them", || counters.get(Outcome::Forwarded) == 48).await;
    let (of_one, of_two) = (peers(&mut one).await, peers(&mut two).await);
    assert_eq!(of_one.len() + of_two.len(), 48);
    assert!(!of_one.is_empty() && !of_two.is_empty(), "both have a part");
    assert!(of_one.iter().all(|peer| !of_two.contains(peer)));
    // An answer goes to the gateway that asked.
    let mut answer = BytesMut::new();
    let asked = gateways[0].local_addr().expect("an address");
    datagram::put_datagram(&mut answer, datagram::Protocol::Radius, asked, b"answer");
    two.write_all(&answer).await.expect("sent");
    let mut response = [0; 10];
    assert_eq!(
        gateways[0].recv(&mut response).await.expect("the answer"),
        6
    );

    drop(two);
    let mut moved = 0;
    while moved < of_two.len() {
        for gateway in &gateways {
            gateway.send(b"y").await.expect("sent");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        moved += peers(&mut one)
            .await
            .iter()
            .filter(|peer| of_two.contains(peer))
            .count();
    }
}

/// Returns the peers of all frames that have arrived.
async fn peers(replica: &mut UnixStream) -> Vec<SocketAddr> {
    let (mut buffer, mut peers) = (BytesMut::new(), Vec::new());
    let pause = Duration::from_millis(300);
    while let Ok(Ok(1..)) = tokio::time::timeout(pause, replica.read_buf(&mut buffer)).await {
        while let Some(frame) = datagram::take(&mut buffer).expect("a frame") {
            let Frame::Datagram { peer, .. } = frame else {
                panic!("{frame:?}")
            };
            peers.push(peer);
        }
    }
    peers
}

#[tokio::test(flavor = "multi_thread")]
async fn datagram_is_dropped_while_the_queue_of_a_stalled_replica_is_full() {
    let mut settings = alone("stalled");
    settings.receiver.queue_bytes = 10_000;
    let receiver = start(&settings);
    let counters = receiver.forwarder.counters.clone();
    let _stalled = replica(&settings.receiver.socket_directory, "one").await;
    until("readiness", || receiver.forwarder.check().is_ok()).await;
    let sender = gateway(receiver.syslog).await;
    for number in 1..=2_000 {
        sender.send(&[b'x'; 1_000]).await.expect("sent");
        let seen = || counters.get(Outcome::Forwarded) + counters.get(Outcome::NoCapacity);
        until("the datagram", || seen() == number).await;
    }
    assert!(counters.get(Outcome::NoCapacity) > 0);
}
