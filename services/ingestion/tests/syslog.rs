//! The syslog doors, as the VIP speaks to them.

use std::time::Duration;

use rollcall_test_support::{Proxy, Rollcall};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpStream, UdpSocket},
};

const PROXY: &str = "PROXY TCP4 192.0.2.7 192.0.2.1 40000 514\r\n";

async fn with_source() -> (Rollcall, String) {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    rollcall.senders(&source, &["192.0.2.0/28"]).await;
    (rollcall, source)
}

async fn connection(rollcall: &Rollcall, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(rollcall.syslog_tcp)
        .await
        .expect("a connection");
    stream.write_all(text.as_bytes()).await.expect("sent");
    stream
}

/// Waits until so many events are there.
async fn events(rollcall: &Rollcall, number: usize) {
    for _ in 0..200 {
        if rollcall.database.count("events").await >= number {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(rollcall.database.count("events").await, number);
}

async fn sessions(rollcall: &Rollcall) -> Vec<String> {
    let query = "SELECT concat_ws(' ', session_id, user_name, to_char(login_at, 'DD HH24:MI'), to_char(logout_at, 'DD HH24:MI')) AS text FROM sessions ORDER BY 1";
    rollcall.database.texts(query).await
}

fn sshd(at: &str, text: &str) -> String {
    format!("<86>1 {at} gw sshd 7 - - {text}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_used_again_is_another_session() {
    let (rollcall, _) = with_source().await;
    let accepted = "Accepted password for asha from 203.0.113.5 port 51234 ssh2";
    let closed = "pam_unix(sshd:session): session closed for user asha";
    let mut stream = connection(
        &rollcall,
        &format!("{PROXY}{}", sshd("2025-01-01T10:00:00Z", accepted)),
    )
    .await;
    events(&rollcall, 1).await;
    // Its login is in the database, the next two are in one reading.
    let rest = [
        ("2025-01-01T11:00:00Z", closed),
        ("2025-01-02T10:00:00Z", accepted),
        ("2025-01-02T12:00:00Z", closed),
    ];
    let rest: String = rest.iter().map(|(at, text)| sshd(at, text)).collect();
    stream.write_all(rest.as_bytes()).await.expect("sent");
    events(&rollcall, 4).await;
    assert_eq!(
        sessions(&rollcall).await,
        [
            "sshd/gw/7@2025-01-01T10:00:00Z asha 01 10:00 01 11:00",
            "sshd/gw/7@2025-01-02T10:00:00Z asha 02 10:00 02 12:00"
        ]
    );
    // Sent again, in one piece and from the beginning, it is the same.
    let all: String = [("2025-01-01T10:00:00Z", accepted)]
        .iter()
        .map(|(at, text)| sshd(at, text))
        .chain([rest])
        .collect();
    let mut again = connection(&rollcall, &format!("{PROXY}{all}")).await;
    again
        .write_all(sshd("2025-01-03T10:00:00Z", accepted).as_bytes())
        .await
        .expect("sent");
    events(&rollcall, 5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_datagram_of_structured_data_is_an_event_and_bad_ones_harm_nobody() {
    let (rollcall, _) = with_source().await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    let event = r#"<134>1 2025-01-01T10:00:00Z gw app - - [rollcall@32473 type="login" session_id="s1" user="user_4" realm="Sales"]"#;
    for datagram in [
        "hello".to_owned(),
        format!("PROXY TCP4 198.51.100.9 192.0.2.1 40000 514\r\n{event}"),
        format!("{PROXY}<134>1 not a time gw app - - -"),
        format!("{PROXY}{}", event.replace("login", "LOGIN")),
        format!("{PROXY}{event}"),
        format!("{PROXY}{event}"),
    ] {
        socket
            .send_to(datagram.as_bytes(), rollcall.syslog_udp)
            .await
            .expect("sent");
    }
    events(&rollcall, 1).await;
    assert_eq!(sessions(&rollcall).await, ["s1 user_4 01 10:00"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_sender_is_not_heard() {
    let (rollcall, source) = with_source().await;
    let line = sshd(
        "2025-01-01T10:00:00Z",
        "Accepted password for asha from 203.0.113.5 port 51234 ssh2",
    );
    let stranger = connection(
        &rollcall,
        &format!("{}{line}", PROXY.replace("192.0.2.7", "192.0.2.99")),
    )
    .await;
    let nobody = connection(&rollcall, &line.repeat(3)).await;
    for mut stream in [stranger, nobody] {
        let mut rest = Vec::new();
        // It is closed, with or without what it had sent being read.
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await;
        assert_eq!(rest, b"");
    }
    assert_eq!(rollcall.database.count("events").await, 0);
    // The negative answer is forgotten too.
    rollcall.senders(&source, &["192.0.2.99"]).await;
    tokio::time::sleep(Duration::from_millis(5_500)).await;
    let _heard = connection(
        &rollcall,
        &format!("{}{line}", PROXY.replace("192.0.2.7", "192.0.2.99")),
    )
    .await;
    events(&rollcall, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_messages_wait_and_come_when_it_is_back() {
    let proxy = Proxy::new(rollcall_test_support::postgres()).await;
    let rollcall = Rollcall::builder().await.postgres(proxy.address).start();
    let source = rollcall.source().await;
    rollcall.senders(&source, &["192.0.2.0/28"]).await;
    let line = |day: u8| {
        sshd(
            &format!("2025-01-0{day}T10:00:00Z"),
            "Accepted password for asha from 203.0.113.5 port 51234 ssh2",
        )
    };
    let mut stream = connection(&rollcall, &format!("{PROXY}{}", line(1))).await;
    events(&rollcall, 1).await;
    proxy.cut();
    stream
        .write_all((line(2) + &line(3)).as_bytes())
        .await
        .expect("sent");
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    socket
        .send_to(
            format!("{PROXY}{}", line(4)).as_bytes(),
            rollcall.syslog_udp,
        )
        .await
        .expect("sent");
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(rollcall.database.count("events").await, 1);
    proxy.restore();
    events(&rollcall, 4).await;
}
