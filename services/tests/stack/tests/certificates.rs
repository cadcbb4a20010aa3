//! The certificate authority (CA) of the stack: its name constraints, its private key, renewal,
//! host names, and the operator's own certificate.

use std::fs;

use rollcall_stack_tests::{client, docker, port, project, root, run_in, run_script, script, url};
use serde_json::Value;

const NAME: &str = "rollcall.example.com";

/// Returns a shell command for the container `ca` that writes `private-key.pem` and
/// `certificate.pem`,
/// signed by the CA, to /dev/shm.
fn sign(alternative_name: &str, days: u32) -> String {
    format!(
        "cd /dev/shm && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc \
         -CA /var/lib/ca/authority/ca.pem -CAkey /var/lib/ca/authority/private-key.pem \
         -days {days} -subj /O=test -addext basicConstraints=critical,CA:false \
         -addext extendedKeyUsage=serverAuth -addext subjectAltName={alternative_name} \
         -keyout private-key.pem -out certificate.pem 2>/dev/null"
    )
}

/// Runs a command in a container of the stack, which must succeed. Returns its standard output.
fn output_of(service: &str, command: &str) -> String {
    let output = run_in(service, command);
    assert!(output.status.success(), "{service}: {command}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// Returns the exit codes of `openssl verify` and curl for a certificate of the CA for this name.
fn verification(alternative_name: &str) -> String {
    let command = sign(alternative_name, 1) + " && cat certificate.pem private-key.pem";
    let pair = output_of("ca", &command);
    let name = alternative_name.split_once(':').expect("its kind").1;
    let port = port(4);
    let command = format!(
        "cat >/tmp/pair.pem
        openssl verify -purpose sslserver -CAfile /state/ca.pem /tmp/pair.pem >/dev/null 2>&1
        printf 'openssl %s, ' $?
        openssl s_server -accept 127.0.0.1:{port} -cert /tmp/pair.pem -www >/dev/null 2>&1 &
        for attempt in $(seq 100); do
            (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null && break
            sleep 0.1
        done
        curl -sS -o /dev/null --max-time 10 --cacert /state/ca.pem \
            --connect-to ::127.0.0.1:{port} https://{name}:{port}/ 2>/tmp/error
        printf 'curl %s' $?
        kill %1"
    );
    client(&["bash", "-c", &command], &pair)
}

#[test]
fn clients_reject_certificates_of_the_ca_for_other_names() {
    assert_eq!(verification("IP:127.0.0.1"), "openssl 0, curl 0");
    for other in ["IP:192.0.2.1", "DNS:payroll.example.com", "DNS:localhost"] {
        assert_eq!(verification(other), "openssl 2, curl 60", "{other}");
    }
}

#[test]
fn only_the_ca_container_has_the_ca_key() {
    let key = output_of("ca", "cat /var/lib/ca/authority/private-key.pem");
    let secret = key.lines().nth(1).expect("base64");
    let volume = format!("volume={}_ca", project());
    let holders = docker(&[
        "ps",
        "-a",
        "--filter",
        &volume,
        "--format",
        "{{.Label \"com.docker.compose.service\"}}",
    ]);
    assert_eq!(holders.trim(), "ca");
    for service in ["nginx", "ingestion"] {
        let files = output_of(service, "cat /var/lib/tls/*");
        assert!(files.contains("PRIVATE KEY") && !files.contains(secret));
        let write = run_in(service, "echo >/var/lib/tls/certificate.pem");
        assert!(!write.status.success(), "{service} can write");
    }
    let network = docker(&["compose", "ps", "ca", "--format", "{{.Networks}}"]);
    assert_eq!(network.trim(), "none");
}

#[test]
fn certificate_that_expires_soon_fails_status_and_is_renewed() {
    let put = "mv -f private-key.pem certificate.pem /var/lib/tls/";
    let soon = sign("IP:127.0.0.1", 3);
    output_of("ca", &format!("{soon} && {put}"));
    let status = run_script("status", &[]);
    let text = String::from_utf8_lossy(&status.stdout);
    let ca_before = output_of("ca", "cat /var/lib/ca/authority/ca.pem");
    let other_before = output_of("ca", "cat /var/lib/tls-ingestion/certificate.pem");
    let renewed = output_of("ca", "certificate issue");
    // A certificate for 3 days is valid for 2 whole days from the second after it is signed.
    let is_valid_for = |text: &str, days: u8| {
        text.contains(&format!("TLS         certificate valid for {days} days"))
    };
    assert!(
        !status.status.success() && (is_valid_for(&text, 2) || is_valid_for(&text, 3)),
        "{text}"
    );
    assert!(
        renewed.contains("issued a certificate for IP:127.0.0.1"),
        "{renewed}"
    );
    assert_eq!(
        output_of("ca", "cat /var/lib/ca/authority/ca.pem"),
        ca_before
    );
    assert_eq!(
        output_of("ca", "cat /var/lib/tls-ingestion/certificate.pem"),
        other_before
    );
    let text = script("status", &[]);
    assert!(is_valid_for(&text, 89) || is_valid_for(&text, 90), "{text}");
}

/// Removes host names and the operator's certificate when dropped, so that the certificate of the
/// CA is used again.
struct WithoutName;

impl Drop for WithoutName {
    fn drop(&mut self) {
        for file in ["certificate.pem", "private-key.pem"] {
            let _ = fs::remove_file(root().join(".rollcall/tls").join(file));
        }
        let back = run_script("up", &["--host-name", ""]);
        if !std::thread::panicking() {
            assert!(back.status.success(), "{back:?}");
        }
    }
}

/// Writes a self-signed certificate into .rollcall/tls. Returns its private key, in PEM.
fn write_own_certificate(alternative_name: &str) -> String {
    let command = format!(
        "cd /tmp && openssl req -x509 -newkey rsa:2048 -noenc -days 60 -subj /CN=own \
         -addext subjectAltName={alternative_name} -keyout key -out certificate 2>/dev/null && \
         cat certificate key"
    );
    let pair = client(&["sh", "-c", &command], "");
    let key_at = pair.find("-----BEGIN PRIVATE").expect("a key");
    let folder = root().join(".rollcall/tls");
    fs::write(folder.join("certificate.pem"), &pair[..key_at]).expect("written");
    pair[key_at..].to_owned()
}

/// Returns the issuer in the OAuth metadata that the VIP serves under this name.
fn issuer_at(name: &str) -> String {
    let (_, port) = url()
        .rsplit_once(':')
        .map(|(host, port)| (host.to_owned(), port.to_owned()))
        .expect("a port");
    let command = format!(
        "curl -sS --fail --cacert /state/ca.pem --connect-to ::127.0.0.1:{port} \
         https://{name}:{port}/.well-known/oauth-authorization-server"
    );
    let metadata: Value = serde_json::from_str(&client(&["sh", "-c", &command], "")).expect("JSON");
    metadata["issuer"].as_str().expect("text").to_owned()
}

/// Returns the subject of the certificate that the VIP presents, which its CA file must verify.
fn served_subject() -> String {
    let command = "openssl s_client -connect ${STACK_URL#https://} -CAfile /state/ca.pem \
                   -verify_return_error </dev/null 2>/dev/null | openssl x509 -noout -subject";
    client(&["sh", "-c", command], "")
}

// The host name and the operator's certificate share a test, because each change of them runs
// `scripts/up`.
#[test]
fn vip_uses_the_host_name_and_the_operators_certificate_until_they_are_removed() {
    let expected = url().replace("127.0.0.1", NAME);
    let _restored = WithoutName;
    let private_key = write_own_certificate(&format!("DNS:{NAME}"));
    let without_key = run_script("up", &[]);
    assert!(!without_key.status.success(), "{without_key:?}");
    let error = String::from_utf8_lossy(&without_key.stderr);
    assert!(error.contains("both needed"), "{error}");
    let key_file = root().join(".rollcall/tls/private-key.pem");
    fs::write(key_file, private_key).expect("written");
    let without_name = run_script("up", &[]);
    let error = String::from_utf8_lossy(&without_name.stderr);
    assert!(error.contains("the certificate lacks 127.0.0.1"), "{error}");
    assert!(!without_name.status.success());
    let up = script("up", &["--host-name", NAME]);
    for text in [
        "THE CA HAS CHANGED",
        "THE URL HAS CHANGED",
        expected.as_str(),
    ] {
        assert!(up.contains(text), "{text}: {up}");
    }
    assert!(script("status", &[]).contains(&format!("VIP         answers at {expected}")));
    assert_eq!(issuer_at(NAME), expected);
    assert!(served_subject().contains("own"));

    for file in ["certificate.pem", "private-key.pem"] {
        fs::remove_file(root().join(".rollcall/tls").join(file)).expect("removed");
    }
    assert!(script("up", &[]).contains("THE CA HAS CHANGED"));
    assert!(served_subject().contains("Rollcall"));
    for name in [NAME, "127.0.0.1"] {
        assert_eq!(issuer_at(name), expected, "{name}");
    }
}
