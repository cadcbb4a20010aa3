//! The real services in the process of the test, on free ports, with a clock that a test can move.

use std::{net::SocketAddr, path::PathBuf};

use reqwest::Client;
use rollcall_attendance::name_rules::NameRules;
use rollcall_auth::hashing::Hashing;
use rollcall_platform::{clock::Clock, settings::Settings, socket};
use rollcall_store::{Pool, api_clients, sources};
use secrecy::SecretString;
use tokio::net::UnixStream;
use uuid::Uuid;

use crate::{Builder, TestDatabase};

/// The running services auth, ingestion, reporting and console.
pub struct Rollcall {
    /// Password hashing of auth, which counts its hashes.
    pub hashing: Hashing,
    /// Database of the services.
    pub database: TestDatabase,
    /// Clock of the services, which a test can move.
    pub clock: Clock,
    /// Settings of the services. The database role and the ports differ for each service.
    pub settings: Settings,
    /// HTTP client.
    pub http: Client,
    /// Address of auth.
    pub auth: SocketAddr,
    /// Address of ingestion.
    pub ingestion: SocketAddr,
    /// Directory of ingestion's sockets for datagrams and syslog, and of its certificate files.
    pub directory: PathBuf,
    /// Address of reporting.
    pub reporting: SocketAddr,
    /// Address of console.
    pub console: SocketAddr,
    /// Addresses of health and metrics, in the order auth, ingestion, reporting, console.
    pub internal: [SocketAddr; 4],
}

impl Rollcall {
    /// Prepares the services on a new database.
    pub async fn builder() -> Builder {
        Self::builder_on(TestDatabase::new().await)
    }

    /// Prepares the services on a given database.
    #[must_use]
    pub fn builder_on(database: TestDatabase) -> Builder {
        Builder::on(database)
    }

    /// Starts the services on a new database.
    pub async fn start() -> Self {
        Self::builder().await.start()
    }

    /// Returns a connection pool of the role `operator`.
    #[must_use]
    pub fn operator(&self) -> Pool {
        Pool::new(&self.database.settings("operator")).expect("a pool")
    }

    /// Adds an API client. Returns its name and password.
    pub async fn client(&self, scope: &str) -> (String, String) {
        let name = format!("client-{}", Uuid::new_v4().simple());
        let password = Uuid::new_v4().to_string();
        let hash = rollcall_credentials::passwords::hash(&SecretString::from(password.as_str()))
            .expect("a hash");
        let added = self
            .operator()
            .ask(async |connection| api_clients::add(connection, &name, &hash, scope).await)
            .await;
        assert!(added.expect("a client"));
        (name, password)
    }

    /// Adds a source. Returns its key, which is also its name.
    pub async fn source(&self) -> String {
        let key = Uuid::new_v4().to_string();
        let hash = rollcall_credentials::source_keys::hash(&key);
        let source = sources::New {
            name: &key,
            key_hash: &hash,
            radius_secret: None,
        };
        let added = self
            .operator()
            .ask(async |connection| sources::add(connection, &source).await)
            .await;
        assert!(added.expect("a source"));
        key
    }

    /// Sets the source networks of a source. Its RADIUS shared secret becomes its name.
    pub async fn set_networks(&self, source: &str, networks: &[&str]) {
        let networks: Vec<String> = networks
            .iter()
            .map(|network| (*network).to_owned())
            .collect();
        let operator = self.operator();
        let done = operator.ask(async |connection| {
            sources::set_radius_secret(connection, source, source).await?;
            sources::set_networks(connection, source, &networks).await
        });
        assert!(done.await.expect("source networks"));
    }

    /// Sets the name rules of a source, each as a text such as `split=upn`.
    pub async fn set_name_rules(&self, source: &str, rules: &[&str]) {
        let rules = rules.iter().map(|rule| rule.parse().expect("a rule"));
        let rules = NameRules(rules.collect());
        let operator = self.operator();
        let done = operator
            .ask(async |connection| sources::set_name_rules(connection, source, &rules).await);
        assert!(done.await.expect("name rules"));
    }

    /// Writes a file with syslog rules.
    pub fn write_rules(&self, name: &str, text: &str) {
        write_rules(&self.settings, name, text);
    }

    /// Connects to one of ingestion's sockets by its kind.
    pub async fn socket(&self, kind: &str) -> UnixStream {
        let sockets = socket::find(&self.directory, kind).expect("a directory");
        let path = sockets.first().expect("a socket");
        UnixStream::connect(path).await.expect("a connection")
    }
}

/// Writes a file into the directory of syslog rules.
pub(crate) fn write_rules(settings: &Settings, name: &str, text: &str) {
    let directory = &settings.ingestion.rules_directory;
    std::fs::create_dir_all(directory).expect("a directory");
    std::fs::write(directory.join(name), text).expect("written");
}

impl Drop for Rollcall {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.settings.auth.key_directory);
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
