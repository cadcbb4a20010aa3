//! Tests of syslog over TLS, as the reverse proxy forwards it.

use std::{fs, sync::Arc, time::Duration};

use bytes::BytesMut;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rollcall_platform::datagram::{Protocol, put_datagram};
use rollcall_store::sources;
use rollcall_test_support::Rollcall;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

const PROXY: &str = "PROXY TCP4 192.0.2.7 192.0.2.1 40000 6514\r\n";

type Pair = CertifiedKey<rcgen::KeyPair>;

fn pair() -> Pair {
    generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate")
}

fn certificate(pair: &Pair) -> CertificateDer<'static> {
    pair.cert.der().clone()
}

/// Writes a certificate and its private key to the files that ingestion reads.
fn install(rollcall: &Rollcall, server: &Pair) {
    let (certificate, private_key) = (server.cert.pem(), server.signing_key.serialize_pem());
    fs::write(rollcall.directory.join("private-key.pem"), private_key).expect("written");
    fs::write(rollcall.directory.join("certificate.pem"), certificate).expect("written");
}

async fn with_source() -> (Rollcall, String, Pair) {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    rollcall.set_networks(&source, &["192.0.2.0/28"]).await;
    let server = pair();
    install(&rollcall, &server);
    (rollcall, source, server)
}

async fn require(rollcall: &Rollcall, source: &str, client: &Pair) {
    let fingerprint = Sha256::digest(certificate(client));
    let operator = rollcall.operator();
    let set = operator.ask(async |connection| {
        sources::set_client_certificate(connection, source, Some(&fingerprint)).await
    });
    assert!(set.await.expect("set"));
}

/// Opens a connection that trusts only this server, with or without a client certificate.
async fn connect(
    rollcall: &Rollcall,
    server: &Pair,
    client: Option<&Pair>,
) -> std::io::Result<TlsStream<UnixStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate(server)).expect("a root");
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    let config = match client {
        None => config.with_no_client_auth(),
        Some(client) => {
            let key = PrivatePkcs8KeyDer::from(client.signing_key.serialize_der());
            config
                .with_client_auth_cert(vec![certificate(client)], PrivateKeyDer::from(key))
                .expect("a client certificate")
        }
    };
    let mut stream = rollcall.socket("syslog-tls").await;
    stream.write_all(PROXY.as_bytes()).await.expect("sent");
    let name = "localhost".try_into().expect("a name");
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

fn line(session: &str) -> String {
    format!(
        "<134>1 2025-01-01T10:00:00Z gw app - - [rollcall@32473 type=\"login\" \
         session_id=\"{session}\" user=\"asha\"]\n"
    )
}

/// Sends a message and waits up to 1 second, so that ingestion can close a connection that it
/// rejects.
async fn send(stream: &mut TlsStream<UnixStream>, session: &str) {
    let message = line(session);
    if stream.write_all(message.as_bytes()).await.is_ok() && stream.flush().await.is_ok() {
        let _ = tokio::time::timeout(Duration::from_secs(1), stream.read_u8()).await;
    }
}

async fn sessions(rollcall: &Rollcall, number: usize) -> Vec<String> {
    for _ in 0..100 {
        if rollcall.database.count("sessions").await >= number {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let query = "SELECT session_id AS text FROM sessions ORDER BY 1";
    rollcall.database.texts(query).await
}

#[tokio::test(flavor = "multi_thread")]
async fn source_with_required_client_certificate_is_recorded_only_with_it() {
    let (rollcall, source, server) = with_source().await;
    let (own, other) = (pair(), pair());
    require(&rollcall, &source, &own).await;
    for (session, client) in [("none", None), ("other", Some(&other)), ("own", Some(&own))] {
        if let Ok(mut stream) = connect(&rollcall, &server, client).await {
            send(&mut stream, session).await;
        }
    }
    let mut plain = rollcall.socket("syslog").await;
    let text = format!("{PROXY}{}", line("plain"));
    plain.write_all(text.as_bytes()).await.expect("sent");
    let mut frame = BytesMut::new();
    let peer = "192.0.2.7:514".parse().expect("an address");
    put_datagram(
        &mut frame,
        Protocol::Syslog,
        peer,
        line("datagram").as_bytes(),
    );
    let mut receiver = rollcall.socket("datagrams").await;
    receiver.write_all(&frame).await.expect("sent");
    // Ingestion closes the connection that it rejects.
    let mut rest = Vec::new();
    let _ = plain.read_to_end(&mut rest).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(sessions(&rollcall, 1).await, ["own"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn source_without_required_certificate_may_present_any_or_none() {
    let (rollcall, _, server) = with_source().await;
    for (session, client) in [("any", Some(&pair())), ("none", None)] {
        let mut stream = connect(&rollcall, &server, client)
            .await
            .expect("connected");
        send(&mut stream, session).await;
    }
    assert_eq!(sessions(&rollcall, 2).await, ["any", "none"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn server_certificate_is_reloaded_when_its_files_change() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    rollcall.set_networks(&source, &["192.0.2.0/28"]).await;
    let (first, second) = (pair(), pair());
    assert!(
        connect(&rollcall, &first, None).await.is_err(),
        "there is no server certificate yet"
    );
    install(&rollcall, &first);
    let mut long_lived = connect(&rollcall, &first, None).await.expect("connected");
    fs::write(rollcall.directory.join("certificate.pem"), "nonsense").expect("written");
    connect(&rollcall, &first, None)
        .await
        .expect("the previous certificate is still used");
    install(&rollcall, &second);
    assert!(
        connect(&rollcall, &first, None).await.is_err(),
        "the first certificate was replaced"
    );
    connect(&rollcall, &second, None).await.expect("connected");
    send(&mut long_lived, "long-lived").await;
    assert_eq!(sessions(&rollcall, 1).await, ["long-lived"]);
}
