//! The reverse proxy: its TLS, its routes, its own errors, and the privileges of the containers.

use std::process::Command;

use rollcall_stack_tests::{
    JSON_FROM_STDIN, api_client, assert_tls_is_mozilla_intermediate, client, curl, docker, parse,
    project, report, run_client, send, source, token, url,
};
use serde_json::{Value, json};

/// Returns the host and the port of the VIP.
fn host_and_port() -> String {
    url().trim_start_matches("https://").to_owned()
}

#[test]
fn errors_of_the_proxy_have_the_response_envelope() {
    let long_header = format!("X-Long: {}", "x".repeat(40_000));
    let long_path = format!("/{}", "x".repeat(40_000));
    let large_body = "x".repeat(100_000);
    for (what, answer, status) in [
        ("an unknown path", curl("/none", &[], ""), 404),
        ("health is not public", curl("/health/ready", &[], ""), 404),
        ("metrics are not public", curl("/metrics", &[], ""), 404),
        (
            "TRACE",
            curl("/api/v1/auth/connect", &["-X", "TRACE"], ""),
            405,
        ),
        (
            "a long header",
            curl(
                "/api/v1/auth/connect",
                &["--http1.1", "-H", &long_header],
                "",
            ),
            400,
        ),
        ("a long path", curl(&long_path, &["--http1.1"], ""), 414),
        (
            "a large body",
            curl("/api/v1/auth/connect", &JSON_FROM_STDIN, &large_body),
            413,
        ),
        (
            "a service's own 405",
            curl("/api/v1/ingestion/events", &[], ""),
            405,
        ),
    ] {
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/json"),
            "{what}: {answer:?}"
        );
        let body = answer.json();
        assert_eq!(body["statusCode"], status, "{what}");
        assert_eq!(body["data"], json!([]), "{what}");
        let date = body["responseDate"].as_str().expect("a date");
        assert!(
            date.len() == 28 && date.ends_with('Z') && date.parse::<jiff::Timestamp>().is_ok(),
            "{what}: {date}"
        );
        assert!(
            !body["statusMessage"]
                .as_str()
                .expect("a message")
                .is_empty(),
            "{what}"
        );
        assert_eq!(
            answer.header("strict-transport-security"),
            Some("max-age=63072000"),
            "{what}"
        );
    }
}

#[test]
fn api_documentation_has_the_documents_of_all_services() {
    let page = curl("/api/docs/", &[], "");
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
    let settings = curl("/api/docs/swagger-initializer.js", &[], "").body;
    for part in ["v1/auth", "v1/ingestion", "v1/reporting", "v2"] {
        let document = format!("/api/{part}/openapi.json");
        assert!(settings.contains(&document), "{settings}");
        assert_eq!(curl(&document, &[], "").json()["openapi"], "3.1.0");
    }
}

#[test]
fn docs_without_slash_redirects_to_the_same_host_and_port() {
    let answer = curl("/api/docs", &["-H", "Host: elsewhere.example"], "");
    assert_eq!(
        (answer.status, answer.header("location")),
        (301, Some("/api/docs/"))
    );
    assert_eq!(answer.json()["statusCode"], 301);
}

#[test]
fn malformed_request_gets_400_in_the_response_envelope() {
    let ask = |request: &str| {
        let command = format!(
            "printf '{request}' |
             timeout 10 openssl s_client -quiet -CAfile /state/ca.pem -connect {} 2>/dev/null",
            host_and_port()
        );
        String::from_utf8_lossy(&run_client(&["bash", "-c", &command], "").stdout).into_owned()
    };
    for request in [
        r"NONSENSE\r\n\r\n",
        r"GET / HTTP/1.1\r\n\r\n",
        r"GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        r"POST /oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        r"POST /oauth2/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: snafu\r\n\r\n",
        r"POST /oauth2/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\tchunked\r\n\r\n",
    ] {
        let answer = parse(&ask(&request.replace('%', "%%")));
        assert_eq!(
            (answer.status, &answer.json()["statusCode"]),
            (400, &json!(400)),
            "{request}: {answer:?}"
        );
    }
}

#[test]
fn plain_http_gets_400_and_only_proxy_and_receiver_publish_ports() {
    let plain = client(
        &["curl", "-sS", "-i", &format!("http://{}/", host_and_port())],
        "",
    );
    assert!(
        plain.starts_with("HTTP/1.1 400") && plain.contains(r#""statusCode":400"#),
        "{plain}"
    );
    let published = docker(&["compose", "ps", "--format", "{{.Service}} {{.Ports}}"]);
    let public: Vec<&str> = published
        .lines()
        .filter(|line| line.contains("->"))
        .collect();
    let [proxy, receiver] = public[..] else {
        panic!("{published}")
    };
    assert!(proxy.starts_with("nginx "), "{published}");
    let vip = format!("{}->8443/tcp", host_and_port());
    assert!(proxy.contains(&vip), "{published}");
    assert!(receiver.starts_with("receiver "), "{published}");
    assert!(!receiver.contains("/tcp"), "{published}");
}

#[test]
fn proxy_speaks_http_2_and_replaces_the_request_id() {
    let answer = curl(
        "/.well-known/jwks.json",
        &["-H", "X-Request-Id: mine", "--http2"],
        "",
    );
    let id = answer.header("x-request-id").expect("an id");
    assert!(id.len() == 32 && id != "mine", "{id}");
    let url = format!("{}/.well-known/jwks.json", url());
    let mut command = vec!["curl", "-sS", "-o", "/dev/null", "-w", "%{http_version}"];
    command.extend(["--cacert", "/state/ca.pem", &url]);
    let version = client(&command, "");
    assert_eq!(version, "2");
}

#[test]
fn logs_have_the_request_id_and_no_secret() {
    let credentials = api_client(&["reporting:read"]);
    let token = token(&credentials);
    let answer = report(&token, "2025-01-01", "2025-01-01");
    let key = source();
    send(&key, &json!([]));
    let logs = docker(&["compose", "logs", "--no-log-prefix"]);
    let id = answer.header("x-request-id").expect("an id");
    let mentions: Vec<&str> = logs.lines().filter(|line| line.contains(id)).collect();
    assert!(
        mentions
            .iter()
            .any(|line| line.contains(r#""target":"access""#))
            && mentions.iter().any(|line| line.contains("upstream")),
        "{mentions:?}"
    );
    for secret in [credentials.1.as_str(), &token, &key] {
        assert!(!logs.contains(secret));
    }
}

#[test]
fn tls_complies_with_mozilla_intermediate_and_the_ca_file_suffices() {
    assert_tls_is_mozilla_intermediate(&host_and_port());
    for (version, accepted) in [
        ("--tls-max 1.1 --tlsv1.0", false),
        ("--tls-max 1.2 --tlsv1.2", true),
        ("--tlsv1.3", true),
    ] {
        let command = format!(
            "curl -sS -o /dev/null {version} --ciphers DEFAULT@SECLEVEL=0 --cacert /state/ca.pem \
             {}/.well-known/jwks.json",
            url()
        );
        assert_eq!(
            run_client(&["sh", "-c", &command], "").status.success(),
            accepted,
            "{version}"
        );
    }
}

#[test]
fn client_that_stalls_within_its_request_is_disconnected() {
    let address = host_and_port();
    let command = format!(
        r"(printf 'POST /api/v1/auth/connect HTTP/1.1\r\nHost: x\r\n'
           printf 'Content-Length: 100\r\n\r\n'
           sleep 30) |
          timeout 25 openssl s_client -quiet -ign_eof -CAfile /state/ca.pem -connect {address} \
            2>/dev/null"
    );
    let output = run_client(&["bash", "-c", &command], "");
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    // nginx closes the connection, with or without a response of status 408.
    assert!(answer.is_empty() || answer.contains("408"), "{answer}");
    assert_ne!(
        output.status.code(),
        Some(124),
        "still connected after 25 s"
    );
}

#[test]
fn containers_have_only_the_privileges_that_they_need() {
    let ids = docker(&["compose", "ps", "-q"]);
    for id in ids.lines() {
        let inspected: Value = serde_json::from_str(&docker(&["inspect", id])).expect("JSON");
        let (name, config, host) = (
            &inspected[0]["Name"],
            &inspected[0]["Config"],
            &inspected[0]["HostConfig"],
        );
        assert_eq!(config["User"], "10001:10001", "{name}");
        assert_eq!(host["ReadonlyRootfs"], true, "{name}");
        assert_eq!(host["CapDrop"], json!(["ALL"]), "{name}");
        assert_eq!(
            host["SecurityOpt"],
            json!(["no-new-privileges:true"]),
            "{name}"
        );
        assert!(
            host["Memory"].as_i64() > Some(0) && host["PidsLimit"].as_i64() > Some(0),
            "{name}"
        );
        let environment = config["Env"].to_string().to_lowercase();
        let secrets: Vec<&str> = environment
            .split(',')
            .filter(|entry| entry.contains("password") || entry.contains("secret"))
            .filter(|entry| !entry.contains("file="))
            .collect();
        assert!(secrets.is_empty(), "{name}: {secrets:?}");
        for network in inspected[0]["NetworkSettings"]["Networks"]
            .as_object()
            .expect("networks")
            .keys()
        {
            if network == "none" {
                continue;
            }
            let internal = docker(&["network", "inspect", network, "--format", "{{.Internal}}"]);
            assert!(
                internal.trim() == "true"
                    || name
                        .as_str()
                        .is_some_and(|name| name.contains("nginx") || name.contains("receiver")),
                "{name} {network}"
            );
        }
    }
}

#[test]
fn images_contain_no_secret() {
    let folders = "/secrets /run/secrets /var/lib/rollcall /var/lib/ca /var/lib/tls";
    for name in ["services", "nginx", "ca", "postgres", "redis"] {
        let image = &format!("localhost/{}/{name}", project());
        let output = Command::new("docker")
            .args([
                "run",
                "--rm",
                "--network",
                "none",
                "--entrypoint",
                "sh",
                image,
            ])
            .args(["-c", &format!("find {folders} -type f 2>/dev/null; true")])
            .output()
            .expect("docker");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{image}");
    }
}
