//! The certificate authority (CA): what it can sign, who holds its key, and what happens when names
//! change or a certificate is about to expire.

use std::fs;

use rollcall_stack_tests::{client, docker, port, project, root, run_in, run_script, script, url};
use serde_json::Value;

const NAME: &str = "rollcall.example.com";

/// A shell command for the container `ca` that writes `private-key.pem` and `certificate.pem`,
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

/// Standard output of a command in a container of the stack, which must succeed.
fn output_of(service: &str, command: &str) -> String {
    let output = run_in(service, command);
    assert!(output.status.success(), "{service}: {command}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// Exit codes of `openssl verify` and of curl for a certificate of the CA for this name.
fn judge(alternative_name: &str) -> String {
    let command = sign(alternative_name, 1) + " && cat certificate.pem private-key.pem";
    let pair = output_of("ca", &command);
    let name = alternative_name.split_once(':').expect("its kind").1;
    let port = port(4);
    let command = format!(
        "cat >/tmp/pair.pem
        openssl verify -purpose sslserver -CAfile /state/ca.pem /tmp/pair.pem >/dev/null 2>&1
        printf 'openssl %s, ' $?
        openssl s_server -accept 127.0.0.1:{port} -cert /tmp/pair.pem -www >/dev/null 2>&1 &
        curl -sS -o /dev/null --retry 10 --retry-connrefused --retry-delay 1 \
            --cacert /state/ca.pem --connect-to ::127.0.0.1:{port} https://{name}:{port}/ 2>/tmp/error; printf 'curl %s' $?
        kill %1"
    );
    client(&["bash", "-c", &command], &pair)
}

#[test]
fn clients_refuse_certificates_of_the_ca_for_other_names() {
    assert_eq!(judge("IP:127.0.0.1"), "openssl 0, curl 0");
    for other in ["IP:192.0.2.1", "DNS:payroll.example.com", "DNS:localhost"] {
        assert_eq!(judge(other), "openssl 2, curl 60", "{other}");
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
fn certificate_that_is_about_to_expire_is_an_alarm_and_is_renewed() {
    let put = "mv -f private-key.pem certificate.pem /var/lib/tls/";
    let soon = sign("IP:127.0.0.1", 3);
    output_of("ca", &format!("{soon} && {put}"));
    let status = run_script("status", &[]);
    let text = String::from_utf8_lossy(&status.stdout);
    let ca_before = output_of("ca", "cat /var/lib/ca/authority/ca.pem");
    let other_before = output_of("ca", "cat /var/lib/tls-ingestion/certificate.pem");
    let renewed = output_of("ca", "certificate issue");
    // A second after it was signed, a certificate for 3 days is valid for 2 whole days.
    let is_valid_for = |text: &str, days: u8| {
        text.contains(&format!("TLS        certificate valid for {days} days"))
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

/// Removes host names and the operator's certificate, so that the CA's certificate is used again.
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

/// Writes a certificate of the operator's own into .rollcall/tls.
fn put_own_certificate(alternative_name: &str) {
    let command = format!(
        "cd /tmp && openssl req -x509 -newkey rsa:2048 -noenc -days 60 -subj /CN=own \
         -addext subjectAltName={alternative_name} -keyout key -out certificate 2>/dev/null && cat certificate key"
    );
    let pair = client(&["sh", "-c", &command], "");
    let key_at = pair.find("-----BEGIN PRIVATE").expect("a key");
    let folder = root().join(".rollcall/tls");
    fs::write(folder.join("certificate.pem"), &pair[..key_at]).expect("written");
    fs::write(folder.join("private-key.pem"), &pair[key_at..]).expect("written");
}

/// Returns the issuer in the OAuth metadata that the VIP serves under this name.
fn issuer_asked_by(name: &str) -> String {
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

#[test]
fn host_name_is_in_certificate_url_and_issuer() {
    let expected = url().replace("127.0.0.1", NAME);
    let _restored = WithoutName;
    put_own_certificate(&format!("DNS:{NAME}"));
    let up = script("up", &["--host-name", NAME]);
    for text in [
        "THE CA HAS CHANGED",
        "THE URL HAS CHANGED",
        expected.as_str(),
    ] {
        assert!(up.contains(text), "{text}: {up}");
    }
    assert!(script("status", &[]).contains(&format!("VIP        answers at {expected}")));
    assert_eq!(issuer_asked_by(NAME), expected);

    for file in ["certificate.pem", "private-key.pem"] {
        fs::remove_file(root().join(".rollcall/tls").join(file)).expect("removed");
    }
    assert!(script("up", &[]).contains("THE CA HAS CHANGED"));
    for name in [NAME, "127.0.0.1"] {
        assert_eq!(issuer_asked_by(name), expected, "{name}");
    }
}
