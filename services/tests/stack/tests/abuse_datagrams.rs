//! Attacks on RADIUS and syslog: floods, forged PROXY headers, and missing client certificates.

use std::{io::Write, process::Child, sync::OnceLock};

use rollcall_stack_tests::{
    LocalSource, assert_tls_is_mozilla_intermediate, client, docker, eventually, metrics, port,
    project, psql, root, run_client, run_in, script, shared_local_source, source, start_client,
    start_client_on,
};
use uuid::Uuid;

const SECONDS: &str = "10";

/// Returns the source that all tests of this file share, because adding it takes 6 seconds.
fn shared_source() -> &'static LocalSource {
    static SOURCE: OnceLock<LocalSource> = OnceLock::new();
    SOURCE.get_or_init(|| shared_local_source("abuse-datagrams-source.json"))
}

/// Waits for a process, which must succeed. Returns its trimmed standard output.
fn output(child: Child) -> String {
    let output = child.wait_with_output().expect("its end");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout)
        .expect("text")
        .trim()
        .to_owned()
}

/// Returns the name, start and number of restarts of each container.
fn containers() -> String {
    let ids = docker(&["compose", "ps", "-q"]);
    let format = "{{.Name}} {{.State.StartedAt}} {{.RestartCount}} {{.State.OOMKilled}}";
    let inspect = ["inspect", "--format", format];
    docker(&inspect.into_iter().chain(ids.lines()).collect::<Vec<_>>())
}

/// Returns the number of datagrams from unknown addresses that the receiver dropped.
fn dropped() -> u64 {
    let metrics = metrics("receiver");
    let line = metrics.lines().find(|line| {
        line.starts_with("receiver_datagrams_total{")
            && line.contains("outcome=\"unknown_address\"")
    });
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok())
        .expect("the metric")
}

fn log_lines(service: &str) -> usize {
    docker(&["compose", "logs", "--no-log-prefix", service])
        .lines()
        .count()
}

#[test]
fn https_and_known_gateways_work_during_a_flood_from_an_unknown_address() {
    let gateway_source = shared_source();
    let (key, nas) = (source(), format!("nas-{}", Uuid::new_v4()));
    let (before, dropped_before) = (containers(), dropped());
    let services = ["receiver", "ingestion", "nginx"];
    let lines_before = services.map(log_lines);
    // The flood comes from a container in the receiver's network. Its address is in no source
    // network.
    let flood = [
        "python3",
        "/clients/flood.py",
        "receiver",
        "8813",
        "3000",
        SECONDS,
    ];
    let flood = start_client_on(&format!("{}_datagrams", project()), &flood);
    let steady = start_client(&["python3", "/clients/https_client.py", &key, SECONDS]);
    let gateway = [
        "python3",
        "/clients/radius_ledger.py",
        &port(1),
        &gateway_source.secret,
        SECONDS,
        &nas,
    ];
    let gateway = output(start_client(&gateway));
    let (steady, sent) = (output(steady), output(flood));
    println!(
        "flood: {sent} sent; HTTPS: {steady}; RADIUS answered, sent, retransmitted: {gateway}"
    );

    let sent: u64 = sent.parse().expect("a number");
    assert!(sent > 15_000, "only {sent} datagrams were sent");
    assert!(
        dropped() - dropped_before > sent / 2,
        "the flood did not arrive"
    );
    assert!(steady.ends_with(" {}"), "{steady}");
    assert!(!steady.starts_with("0 "), "{steady}");
    let [answered, sent, _] = gateway.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("{gateway}")
    };
    assert_eq!(answered, sent);
    assert_ne!(answered, "0");
    let stored = psql(&format!(
        "SELECT count(*) FROM events WHERE session_id LIKE '{nas}/%'"
    ));
    assert_eq!(stored, sent);
    assert_eq!(containers(), before, "a container was restarted");
    for (service, before) in services.into_iter().zip(lines_before) {
        let lines = log_lines(service) - before;
        assert!(lines <= 20, "{lines} lines of {service}");
    }
}

#[test]
fn only_proxy_and_receiver_can_report_a_client_address_to_ingestion() {
    // 2142 and 226D are the ports 8514 and 8813 as the kernel prints them.
    let sockets = run_in(
        "ingestion",
        "cat /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6",
    );
    let sockets = String::from_utf8_lossy(&sockets.stdout).into_owned();
    assert!(sockets.contains("local_address"), "{sockets}");
    for port in [":2142 ", ":226D "] {
        assert!(!sockets.contains(port), "{sockets}");
    }
    for service in ["auth", "reporting", "redis", "postgres"] {
        let forge = "bash -c 'exec 3<>/dev/tcp/ingestion/8514'";
        assert!(
            !run_in(service, forge).status.success(),
            "{service} reaches ingestion:8514"
        );
        let sockets = run_in(
            service,
            "find / -xdev -name '*.sock' 2>/dev/null
             find /run -name 'syslog*' -o -name 'datagrams*' 2>/dev/null",
        );
        let sockets = String::from_utf8_lossy(&sockets.stdout).into_owned();
        assert!(
            !sockets.contains("syslog") && !sockets.contains("datagrams"),
            "{service}: {sockets}"
        );
    }
}

#[test]
fn syslog_tls_complies_with_mozilla_intermediate() {
    shared_source();
    let address = format!("127.0.0.1:{}", port(3));
    assert_tls_is_mozilla_intermediate(&address);
    for (group, accepted) in [("X25519", true), ("secp521r1", false), ("X448", false)] {
        let command = format!("openssl s_client -connect {address} -groups {group} </dev/null");
        let handshake = run_client(&["sh", "-c", &command], "");
        assert_eq!(handshake.status.success(), accepted, "{group}");
    }
}

/// Creates a private key and its self-signed certificate, in PEM.
fn certificate() -> String {
    let command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc \
                   -days 2 -subj /CN=gateway -keyout - 2>/dev/null";
    client(&["sh", "-c", command], "")
}

/// Returns a syslog message with a login event.
fn line(session: &str) -> String {
    format!(
        "<134>1 2025-01-01T10:00:00Z gw app - - \
         [rollcall@32473 type=\"login\" session_id=\"{session}\" user=\"asha\"]"
    )
}

/// Sends a login over TLS, with the key and certificate in `pair` unless `pair` is empty.
fn send_by_tls(pair: &str, session: &str) {
    let own = if pair.is_empty() {
        ""
    } else {
        "-cert /tmp/pair.pem -key /tmp/pair.pem"
    };
    let command = format!(
        "cat >/tmp/pair.pem
        (echo '{}'; sleep 1) | timeout 10 openssl s_client -quiet -CAfile /state/ca.pem {own} \
            -connect 127.0.0.1:{}",
        line(session),
        port(3)
    );
    // The client may or may not notice that its certificate was rejected.
    let _ = run_client(&["bash", "-c", &command], pair);
}

/// Sends a login over TCP or UDP without TLS.
fn send_without_tls(protocol: &str, session: &str) {
    let command = format!(
        "printf '%s\\n' '{}' >/dev/{protocol}/127.0.0.1/{}",
        line(session),
        port(2)
    );
    let _ = run_client(&["bash", "-c", &command], "");
}

fn is_stored(session: &str) -> bool {
    psql(&format!(
        "SELECT count(*) FROM events WHERE session_id = '{session}'"
    )) == "1"
}

#[test]
fn syslog_of_a_source_with_client_certificate_is_accepted_only_with_the_certificate() {
    let gateway_source = shared_source();
    let (own, other) = (certificate(), certificate());
    let file = root().join("gateway.pem");
    std::fs::File::create(&file)
        .and_then(|mut file| file.write_all(own.as_bytes()))
        .expect("written");
    let path = file.to_str().expect("a path");
    script(
        "rollcall",
        &["source", "set-certificate", &gateway_source.name, path],
    );
    std::fs::remove_file(&file).expect("removed");
    // The change takes effect within 5 seconds.
    std::thread::sleep(std::time::Duration::from_secs(6));
    let id = Uuid::new_v4().simple().to_string();
    let session = |how: &str| format!("{id}-{how}");
    send_by_tls("", &session("none"));
    send_by_tls(&other, &session("other"));
    send_without_tls("tcp", &session("tcp"));
    send_without_tls("udp", &session("udp"));
    send_by_tls(&own, &session("own"));
    eventually("the event by TLS", || is_stored(&session("own")));
    for how in ["none", "other", "tcp", "udp"] {
        assert!(!is_stored(&session(how)), "{how}");
    }
    script(
        "rollcall",
        &["source", "set-certificate", &gateway_source.name, "--none"],
    );
    eventually("the event without TLS", || {
        send_without_tls("tcp", &session("again"));
        is_stored(&session("again"))
    });
}

#[test]
fn radius_without_message_authenticator_is_not_answered_when_required() {
    let LocalSource { name, secret } = shared_source();
    let id = Uuid::new_v4().simple().to_string();
    let answered = |session: &str, authenticator: &str| {
        let request = format!(
            "NAS-Identifier = gateway, User-Name = asha, Acct-Status-Type = Start, \
             Event-Timestamp = 1735725600, Acct-Session-Id = {id}-{session}{authenticator}\n"
        );
        let server = format!("127.0.0.1:{}", port(1));
        let command = ["radclient", "-r", "1", "-t", "3", &server, "acct", secret];
        run_client(&command, &request).status.success()
    };
    eventually("an answer", || answered("before", ""));
    script(
        "rollcall",
        &["source", "require-message-authenticator", name, "on"],
    );
    eventually("the requirement", || {
        !answered(&Uuid::new_v4().to_string(), "")
    });
    let with_authenticator = answered("signed", ", Message-Authenticator = 0x00");
    script(
        "rollcall",
        &["source", "require-message-authenticator", name, "off"],
    );
    eventually("the end of the requirement", || answered("after", ""));
    assert!(with_authenticator);
}
