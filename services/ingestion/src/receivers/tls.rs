//! TLS for syslog (RFC 5425). It ends here and not at the reverse proxy, so that the client
//! certificate of a source can be checked.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use rustls::{
    DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject},
    server::{
        NoServerSessionStorage,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use sha2::{Digest, Sha256};
use tokio::net::UnixStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// The server side of TLS. The certificate is read again when its files change.
pub struct Tls {
    certificate: PathBuf,
    private_key: PathBuf,
    loaded: Mutex<Option<Loaded>>,
}

struct Loaded {
    version: Version,
    config: Arc<ServerConfig>,
}

/// Modification time and size of both files.
type Version = [(SystemTime, u64); 2];

impl Tls {
    /// Creates a TLS server with these PEM files, which need not exist yet.
    #[must_use]
    pub fn new(certificate: &Path, private_key: &Path) -> Self {
        Self {
            certificate: certificate.to_owned(),
            private_key: private_key.to_owned(),
            loaded: Mutex::new(None),
        }
    }

    /// Performs the TLS handshake on a connection.
    ///
    /// # Errors
    /// There is no certificate, or the handshake fails.
    pub async fn accept(&self, stream: UnixStream) -> Result<TlsStream<UnixStream>, String> {
        let accept = TlsAcceptor::from(self.config()?).accept(stream);
        accept
            .await
            .map_err(|error| format!("the TLS handshake failed: {error}"))
    }

    /// Returns the configuration with the current certificate. If new files cannot be used, the
    /// previous certificate remains in use.
    ///
    /// # Errors
    /// There is no certificate that can be used. The message names the files.
    pub fn config(&self) -> Result<Arc<ServerConfig>, String> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        match self.load(loaded.as_ref()) {
            Ok(None) => {}
            Ok(Some(changed)) => *loaded = Some(changed),
            Err(error) => {
                let (certificate, private_key) =
                    (self.certificate.display(), self.private_key.display());
                let message = format!(
                    "TLS certificate {certificate} and private key {private_key} cannot be used: \
                     {error}"
                );
                if loaded.is_none() {
                    return Err(message);
                }
                crate::counts::reject("syslog", "-", &message);
            }
        }
        let config = loaded.as_ref().map(|loaded| loaded.config.clone());
        config.ok_or_else(|| "there is no TLS certificate".into())
    }

    /// Loads the files. Returns `None` if they have not changed since `known`.
    fn load(&self, known: Option<&Loaded>) -> Result<Option<Loaded>, Box<dyn std::error::Error>> {
        let version = [version(&self.certificate)?, version(&self.private_key)?];
        if known.is_some_and(|known| known.version == version) {
            return Ok(None);
        }
        let certificates: Vec<_> =
            CertificateDer::pem_file_iter(&self.certificate)?.collect::<Result<_, _>>()?;
        let private_key = PrivateKeyDer::from_pem_file(&self.private_key)?;
        let config = Arc::new(config(certificates, private_key)?);
        Ok(Some(Loaded { version, config }))
    }
}

fn version(file: &Path) -> io::Result<(SystemTime, u64)> {
    let metadata = fs::metadata(file)?;
    Ok((metadata.modified()?, metadata.len()))
}

/// Returns Mozilla's intermediate configuration with X25519MLKEM768 added.
fn config(
    certificates: Vec<CertificateDer<'static>>,
    private_key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    // The provider has all cipher suites of TLS 1.3. For TLS 1.2 it has only those with ECDHE and
    // AEAD.
    let provider = Arc::new(CryptoProvider {
        kx_groups: vec![
            aws_lc_rs::kx_group::X25519MLKEM768,
            aws_lc_rs::kx_group::X25519,
            aws_lc_rs::kx_group::SECP256R1,
            aws_lc_rs::kx_group::SECP384R1,
        ],
        ..aws_lc_rs::default_provider()
    });
    let mut config = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_client_cert_verifier(Arc::new(AnyCertificate(provider)))
        .with_single_cert(certificates, private_key)?;
    // Disable resumption, so that every connection proves that the client has the private key of
    // its certificate. A connection lasts for hours, so the additional handshakes do not matter.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// Returns the SHA-256 fingerprint (RFC 5425 section 4.2.2) of the client certificate, if the
/// client presented one.
#[must_use]
pub fn client_fingerprint(stream: &TlsStream<UnixStream>) -> Option<Vec<u8>> {
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    Some(Sha256::digest(certificate).to_vec())
}

/// Accepts any client certificate whose private key the client has, and clients without a
/// certificate. The fingerprint is compared after the handshake, when the source is known. Issuer
/// and validity are not checked, because the fingerprint identifies the certificate.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
