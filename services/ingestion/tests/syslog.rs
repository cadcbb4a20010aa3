//! Tests of syslog, as the reverse proxy and the datagram receiver forward it.

use std::time::Duration;

use bytes::BytesMut;
use rollcall_platform::datagram::{Protocol, put_datagram};
use rollcall_test_support::{Proxy, Rollcall};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

const PROXY: &str = "PROXY TCP4 192.0.2.7 192.0.2.1 40000 514\r\n";

async fn with_source() -> (Rollcall, String) {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    rollcall.set_networks(&source, &["192.0.2.0/28"]).await;
    (rollcall, source)
}

async fn connection(rollcall: &Rollcall, text: &str) -> UnixStream {
    let mut stream = rollcall.socket("syslog").await;
    stream.write_all(text.as_bytes()).await.expect("sent");
    stream
}

/// Sends datagrams of one gateway, as the receiver forwards them. The connection must be kept.
async fn datagrams(rollcall: &Rollcall, peer: &str, payloads: &[String]) -> UnixStream {
    let mut frames = BytesMut::new();
    for payload in payloads {
        let peer = peer.parse().expect("an address");
        put_datagram(&mut frames, Protocol::Syslog, peer, payload.as_bytes());
    }
    let mut stream = rollcall.socket("datagrams").await;
    stream.write_all(&frames).await.expect("sent");
    stream
}

/// Waits until `number` events are recorded, and checks that there are no more.
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
    let query = "SELECT concat_ws(' ', session_id, display_user, to_char(login_at, 'DD HH24:MI'),
            to_char(logout_at, 'DD HH24:MI')) AS text
        FROM sessions JOIN persons ON persons.id = person_id ORDER BY 1";
    rollcall.database.texts(query).await
}

fn sshd(at: &str, text: &str) -> String {
    format!("<86>1 {at} gw sshd 7 - - {text}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn reused_correlation_key_begins_another_session() {
    let (rollcall, _) = with_source().await;
    let accepted = "Accepted password for asha from 203.0.113.5 port 51234 ssh2";
    let closed = "pam_unix(sshd:session): session closed for user asha";
    let mut stream = connection(
        &rollcall,
        &format!("{PROXY}{}", sshd("2025-01-01T10:00:00Z", accepted)),
    )
    .await;
    events(&rollcall, 1).await;
    // The login of the first session is in the database. The other three messages arrive together.
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
    // Messages that are sent again, now all at once, are duplicates.
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
async fn login_and_logout_in_datagrams_at_the_same_time_give_one_session() {
    let (rollcall, _) = with_source().await;
    let mut datagrams_of_all = Vec::new();
    for process in 10..20 {
        let line = |at, text| format!("<86>1 2025-01-01T{at}:00Z gw sshd {process} - - {text}");
        // The logout arrives first.
        datagrams_of_all.extend([
            line(
                "17:00",
                "pam_unix(sshd:session): session closed for user asha",
            ),
            line(
                "08:00",
                "Accepted password for asha from 203.0.113.5 port 51234 ssh2",
            ),
        ]);
    }
    let _connection = datagrams(&rollcall, "192.0.2.7:40000", &datagrams_of_all).await;
    events(&rollcall, 20).await;
    let expected: Vec<_> = (10..20)
        .map(|process| format!("sshd/gw/{process}@2025-01-01T08:00:00Z asha 01 08:00 01 17:00"))
        .collect();
    assert_eq!(sessions(&rollcall).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn datagram_with_structured_data_is_recorded_after_invalid_datagrams() {
    let (rollcall, _) = with_source().await;
    let event = "<134>1 2025-01-01T10:00:00Z gw app - - [rollcall@32473 type=\"login\" \
        session_id=\"s1\" user=\"user_4\" realm=\"Sales\"]";
    let _stranger = datagrams(
        &rollcall,
        "198.51.100.9:40000",
        &[event.replace("s1", "s2")],
    )
    .await;
    let bad = [
        "hello".to_owned(),
        "<134>1 not a time gw app - - -".to_owned(),
        event.replace("login", "LOGIN"),
    ];
    let good = [event.to_owned(), event.to_owned()];
    let _gateway = datagrams(&rollcall, "192.0.2.7:40000", &[&bad[..], &good].concat()).await;
    events(&rollcall, 1).await;
    assert_eq!(sessions(&rollcall).await, ["s1 user_4 01 10:00"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn connection_from_outside_the_source_networks_is_closed() {
    let (rollcall, source) = with_source().await;
    let line = sshd(
        "2025-01-01T10:00:00Z",
        "Accepted password for asha from 203.0.113.5 port 51234 ssh2",
    );
    let unknown_peer = connection(
        &rollcall,
        &format!("{}{line}", PROXY.replace("192.0.2.7", "192.0.2.99")),
    )
    .await;
    let without_header = connection(&rollcall, &line.repeat(3)).await;
    for mut stream in [unknown_peer, without_header] {
        let mut rest = Vec::new();
        // Reading may fail, because ingestion closes the connection before it has read all bytes.
        let _ = stream.read_to_end(&mut rest).await;
        assert_eq!(rest, b"");
    }
    assert_eq!(rollcall.database.count("events").await, 0);
    // The cache of unknown addresses expires too.
    rollcall.set_networks(&source, &["192.0.2.99"]).await;
    tokio::time::sleep(Duration::from_millis(5_500)).await;
    let _heard = connection(
        &rollcall,
        &format!("{}{line}", PROXY.replace("192.0.2.7", "192.0.2.99")),
    )
    .await;
    events(&rollcall, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_sent_while_database_is_down_are_recorded_after_recovery() {
    let proxy = Proxy::new(rollcall_test_support::postgres()).await;
    let rollcall = Rollcall::builder().await.postgres(proxy.address).start();
    let source = rollcall.source().await;
    rollcall.set_networks(&source, &["192.0.2.0/28"]).await;
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
    let _gateway = datagrams(&rollcall, "192.0.2.7:40000", &[line(4)]).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(rollcall.database.count("events").await, 1);
    proxy.restore();
    events(&rollcall, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_end_when_the_source_closes_the_connection() {
    let proxy = Proxy::new(rollcall_test_support::postgres()).await;
    let rollcall = Rollcall::builder()
        .await
        .postgres(proxy.address)
        // A short wait makes each attempt fail soon.
        .set(|settings| settings.database.wait_milliseconds = 500)
        .start();
    let source = rollcall.source().await;
    rollcall.set_networks(&source, &["192.0.2.0/28"]).await;
    let line = |day: u8| {
        let text = "Accepted password for asha from 203.0.113.5 port 51234 ssh2";
        sshd(&format!("2025-01-0{day}T10:00:00Z"), text)
    };
    // The first source closes the connection, the second only its sending half.
    let mut closing = connection(&rollcall, &format!("{PROXY}{}", line(1))).await;
    let mut half_closing = connection(&rollcall, &format!("{PROXY}{}", line(2))).await;
    let mut staying = connection(&rollcall, &format!("{PROXY}{}", line(3))).await;
    events(&rollcall, 3).await;
    proxy.cut();
    closing.write_all(line(4).as_bytes()).await.expect("sent");
    half_closing
        .write_all(line(5).as_bytes())
        .await
        .expect("sent");
    staying.write_all(line(6).as_bytes()).await.expect("sent");
    drop(closing);
    half_closing.shutdown().await.expect("half closed");
    // Ingestion closes the connection that it gave up.
    let mut rest = Vec::new();
    half_closing.read_to_end(&mut rest).await.expect("the end");
    tokio::time::sleep(Duration::from_secs(2)).await;
    proxy.restore();
    events(&rollcall, 4).await;
    staying.write_all(line(7).as_bytes()).await.expect("sent");
    events(&rollcall, 5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn message_with_a_time_without_a_year_is_recorded_and_a_text_alone_is_not() {
    let (rollcall, _) = with_source().await;
    let lines = [
        "<86>Feb 12 09:00:01 gw sshd[7]: Accepted password for asha from 203.0.113.5 port 1 ssh2",
        "hello",
        "<189>Feb 12 10:00:00 gw cron[8]: a job",
        "Feb 12 17:00:01 gw sshd[7]: pam_unix(sshd:session): session closed for user asha\n\0",
    ];
    let stream = lines.join("\n");
    let _stream = connection(&rollcall, &format!("{PROXY}{stream}\n")).await;
    events(&rollcall, 2).await;
    let sessions = sessions(&rollcall).await;
    assert!(
        sessions[0].ends_with("asha 12 09:00 12 17:00"),
        "{sessions:?}"
    );
    let lines = lines.map(ToOwned::to_owned);
    let _datagrams = datagrams(&rollcall, "192.0.2.7:40000", &lines).await;
    // The datagrams repeat the events.
    events(&rollcall, 2).await;
}

/// A rule that makes logins of texts that begin with a word.
fn acme_rule(word: &str) -> String {
    format!(
        "[[rule]]\nname = 'acme-login'\napp = 'acme'\npattern = '^{word} (?<user>\\S+)'\n\
         type = 'login'\ncorrelation_key = 'acme/{{user}}'\n"
    )
}

/// Sends a line of the program `acme` until a session of the user is recorded.
async fn send_until_recorded(rollcall: &Rollcall, text: &str, user: &str) {
    for second in 0..20 {
        let message = format!("<13>Feb 12 09:00:{second:02} gw acme: {text}");
        let _datagrams = datagrams(rollcall, "192.0.2.7:40000", &[message]).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        if sessions(rollcall)
            .await
            .iter()
            .any(|session| session.contains(user))
        {
            return;
        }
    }
    panic!("no session of {user}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_rule_file_is_applied_and_an_invalid_one_keeps_the_former_rules() {
    let (rollcall, _) = with_source().await;
    rollcall.write_rules("acme.toml", &acme_rule("hi"));
    send_until_recorded(&rollcall, "hi asha", "asha").await;
    rollcall.write_rules("acme.toml", &acme_rule("("));
    tokio::time::sleep(Duration::from_secs(3)).await;
    send_until_recorded(&rollcall, "hi bert", "bert").await;
    rollcall.write_rules("acme.toml", &acme_rule("hello"));
    send_until_recorded(&rollcall, "hello carla", "carla").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_rule_file_at_the_start_leaves_the_other_rules() {
    let builder = Rollcall::builder().await;
    let builder = builder.rules("bad.toml", &acme_rule("("));
    let rollcall = builder.rules("good.toml", &acme_rule("hi")).start();
    let source = rollcall.source().await;
    rollcall.set_networks(&source, &["192.0.2.0/28"]).await;
    send_until_recorded(&rollcall, "hi asha", "asha").await;
    let accepted = "Accepted password for bert from 203.0.113.5 port 51234 ssh2";
    let line = sshd("2025-01-01T10:00:00Z", accepted);
    let _stream = connection(&rollcall, &format!("{PROXY}{line}")).await;
    send_until_recorded(&rollcall, "hi asha", "bert").await;
}
