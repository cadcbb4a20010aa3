//! Attacks on RADIUS and syslog: floods, forged PROXY headers, and senders without the certificate
//! of their source.

use std::{io::Write, process::Child};

use rollcall_stack_tests::{
    Sender, client, docker, eventually, port, project, psql, root, run_client, run_in, script,
    sender_here, source, start_client, start_client_on,
};
use uuid::Uuid;

const SECONDS: &str = "10";

fn output(child: Child) -> String {
    let output = child.wait_with_output().expect("its end");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout)
        .expect("text")
        .trim()
        .to_owned()
}

/// Name, start and number of restarts of each container.
fn containers() -> String {
    let ids = docker(&["compose", "ps", "-q"]);
    let format = "{{.Name}} {{.State.StartedAt}} {{.RestartCount}} {{.State.OOMKilled}}";
    let inspect = ["inspect", "--format", format];
    docker(&inspect.into_iter().chain(ids.lines()).collect::<Vec<_>>())
}

/// Returns the number of datagrams from unknown addresses that the receiver dropped.
fn dropped() -> u64 {
    let ask =
        "exec 3<>/dev/tcp/127.0.0.1/9090; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3";
    let metrics = docker(&["compose", "exec", "-T", "receiver", "bash", "-c", ask]);
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
fn a_flood_of_strange_datagrams_harms_neither_https_nor_known_gateways() {
    let sender = sender_here();
    let (key, nas) = (source(), format!("nas-{}", Uuid::new_v4()));
    let (before, dropped_before) = (containers(), dropped());
    let services = ["receiver", "ingestion", "nginx"];
    let lines_before = services.map(log_lines);
    // The address of a container in the receiver's network is in no source network.
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
        &sender.secret,
        SECONDS,
        &nas,
    ];
    let gateway = output(start_client(&gateway));
    let (steady, sent) = (output(steady), output(flood));
    println!("flood: {sent} sent; HTTPS: {steady}; RADIUS answered, sent, repeated: {gateway}");

    let sent: u64 = sent.parse().expect("a number");
    assert!(sent > 15_000, "{sent}: the flood was none");
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
fn no_container_but_the_proxy_and_the_receiver_can_name_a_sender_to_ingestion() {
    // Ports 8514 and 8813, as the kernel prints them.
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
            "find / -xdev -name '*.sock' 2>/dev/null; find /run -name 'syslog*' -o -name 'datagrams*' 2>/dev/null",
        );
        let sockets = String::from_utf8_lossy(&sockets.stdout).into_owned();
        assert!(
            !sockets.contains("syslog") && !sockets.contains("datagrams"),
            "{service}: {sockets}"
        );
    }
}

#[test]
fn tls_for_syslog_is_mozillas_intermediate() {
    let _ = sender_here();
    let address = format!("127.0.0.1:{}", port(3));
    let scan = run_client(&["sslyze", "--mozilla_config=intermediate", &address], "");
    let scan = String::from_utf8_lossy(&scan.stdout).into_owned();
    let verdict = scan
        .split("COMPLIANCE AGAINST TLS CONFIGURATION")
        .nth(1)
        .unwrap_or_else(|| panic!("no verdict: {scan}"));
    let faults: Vec<&str> = verdict
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("* "))
        .collect();
    // Browsers do not trust our CA, so one fault is expected.
    assert!(
        matches!(faults[..], [one] if one.contains("certificate_path_validation")),
        "{verdict}"
    );
    for (group, accepted) in [("X25519", true), ("secp521r1", false), ("X448", false)] {
        let command = format!("openssl s_client -connect {address} -groups {group} </dev/null");
        let handshake = run_client(&["sh", "-c", &command], "");
        assert_eq!(handshake.status.success(), accepted, "{group}");
    }
}

/// A private key and its certificate, in PEM.
fn certificate() -> String {
    client(
        &[
            "sh",
            "-c",
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 2 -subj /CN=gateway -keyout - 2>/dev/null",
        ],
        "",
    )
}

fn line(session: &str) -> String {
    format!(
        "<134>1 2025-01-01T10:00:00Z gw app - - [rollcall@32473 type=\"login\" session_id=\"{session}\" user=\"asha\"]"
    )
}

/// Sends a message over TLS, with the key and certificate in `pair` if there are any.
fn send_by_tls(pair: &str, session: &str) {
    let own = if pair.is_empty() {
        ""
    } else {
        "-cert /tmp/pair.pem -key /tmp/pair.pem"
    };
    let command = format!(
        "cat >/tmp/pair.pem; (echo '{}'; sleep 1) | timeout 10 openssl s_client -quiet -CAfile /state/ca.pem {own} -connect 127.0.0.1:{}",
        line(session),
        port(3)
    );
    // A refusal can be seen as an error, or not at all.
    let _ = run_client(&["bash", "-c", &command], pair);
}

fn send_plainly(protocol: &str, session: &str) {
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
fn syslog_of_a_source_with_a_client_certificate_is_taken_with_it_alone() {
    let sender = sender_here();
    let (own, other) = (certificate(), certificate());
    let file = root().join("gateway.pem");
    std::fs::File::create(&file)
        .and_then(|mut file| file.write_all(own.as_bytes()))
        .expect("written");
    let path = file.to_str().expect("a path");
    script(
        "rollcall",
        &["source", "set-certificate", &sender.name, path],
    );
    std::fs::remove_file(&file).expect("removed");
    // The change takes effect within 5 seconds.
    std::thread::sleep(std::time::Duration::from_secs(6));
    let id = Uuid::new_v4().simple().to_string();
    let session = |how: &str| format!("{id}-{how}");
    send_by_tls("", &session("none"));
    send_by_tls(&other, &session("other"));
    send_plainly("tcp", &session("tcp"));
    send_plainly("udp", &session("udp"));
    send_by_tls(&own, &session("own"));
    eventually("the event by TLS", || is_stored(&session("own")));
    for how in ["none", "other", "tcp", "udp"] {
        assert!(!is_stored(&session(how)), "{how}");
    }
    script(
        "rollcall",
        &["source", "set-certificate", &sender.name, "--none"],
    );
    eventually("the event without TLS", || {
        send_plainly("tcp", &session("again"));
        is_stored(&session("again"))
    });
}

#[test]
fn a_source_can_require_a_message_authenticator() {
    let Sender { name, secret } = sender_here();
    let id = Uuid::new_v4().simple().to_string();
    let answered = |session: &str, signature: &str| {
        let request = format!(
            "NAS-Identifier = gateway, User-Name = asha, Acct-Status-Type = Start, Event-Timestamp = 1735725600, Acct-Session-Id = {id}-{session}{signature}\n"
        );
        let server = format!("127.0.0.1:{}", port(1));
        let command = ["radclient", "-r", "1", "-t", "3", &server, "acct", &secret];
        run_client(&command, &request).status.success()
    };
    eventually("an answer", || answered("before", ""));
    script(
        "rollcall",
        &["source", "require-message-authenticator", &name, "on"],
    );
    eventually("the requirement", || {
        !answered(&Uuid::new_v4().to_string(), "")
    });
    assert!(answered("signed", ", Message-Authenticator = 0x00"));
}
