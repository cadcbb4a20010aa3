//! Certificates of nginx and ingestion, and those of their issuers.

use std::{fs, path::Path};

use jiff::Timestamp;
use x509_parser::pem::Pem;

/// A certificate.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// Name of the file, without its extension.
    pub file: String,
    /// Subject of the certificate, as text.
    pub subject: String,
    /// Time at which it expires.
    pub not_after: Timestamp,
}

impl Certificate {
    /// Returns the certificates in all files of a directory, by file name. A file that cannot be
    /// read is logged and left out.
    #[must_use]
    pub fn all(directory: &Path) -> Vec<Self> {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "pem"));
        paths.sort();
        paths.iter().flat_map(|path| Self::of_file(path)).collect()
    }

    fn of_file(path: &Path) -> Vec<Self> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let content = fs::read(path).unwrap_or_else(|error| {
            tracing::warn!(%error, path = %path.display(), "Failed to read a certificate");
            Vec::new()
        });
        let pems = Pem::iter_from_buffer(&content).flatten();
        pems.filter_map(|pem| {
            let certificate = pem.parse_x509().ok()?;
            Some(Self {
                file: name.clone().into_owned(),
                subject: certificate.subject().to_string(),
                not_after: Timestamp::from_second(certificate.validity().not_after.timestamp())
                    .ok()?,
            })
        })
        .collect()
    }

    /// Returns the number of whole days until the certificate expires.
    #[must_use]
    pub fn days_left(&self, now: Timestamp) -> i64 {
        self.not_after.duration_since(now).as_hours().div_euclid(24)
    }
}

/// Returns the time at which `ca` last checked the certificates in the directory. `ca` does this
/// once an hour.
#[must_use]
pub fn checked_at(directory: &Path) -> Option<Timestamp> {
    let modified = fs::metadata(directory.join("checked")).ok()?.modified();
    modified.ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_certificates_of_a_chain_are_read() {
        let directory = std::env::temp_dir().join(format!("rollcall-pem-{}", std::process::id()));
        fs::create_dir(&directory).expect("a directory");
        let mut parameters = rcgen::CertificateParams::new(vec!["vip".into()]).expect("names");
        parameters.not_after = rcgen::date_time_ymd(2030, 1, 2);
        let key = rcgen::KeyPair::generate().expect("a key");
        let pem = parameters.self_signed(&key).expect("a certificate").pem();
        fs::write(directory.join("tls.pem"), pem.repeat(2)).expect("written");
        fs::write(directory.join("broken.pem"), "no PEM").expect("written");
        let found = Certificate::all(&directory);
        fs::remove_dir_all(&directory).expect("removed");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].file, "tls");
        assert_eq!(found[0].not_after.to_string(), "2030-01-02T00:00:00Z");
        let now = "2030-01-01T01:00:00Z".parse().expect("an instant");
        assert_eq!(found[0].days_left(now), 0);
        assert!(Certificate::all(Path::new("/none")).is_empty());
    }
}
