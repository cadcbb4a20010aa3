//! The three services, as they are, on ports of their own, with a clock that a test moves.

use std::{net::SocketAddr, path::PathBuf};

use jiff::tz::TimeZone;
use reqwest::{Client, Response, header};
use rollcall_auth::hashing::Hashing;
use rollcall_platform::{clock::Clock, server::Running, settings::Settings, socket};
use rollcall_store::{Pool, api_clients, sources};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::UnixStream;
use uuid::Uuid;

use crate::TestDatabase;

/// The running services.
pub struct Rollcall {
    /// The password hashes of `auth`, and how many there were.
    pub hashing: Hashing,
    /// Their database.
    pub database: TestDatabase,
    /// Their clock.
    pub clock: Clock,
    /// Their settings, but for role and ports.
    pub settings: Settings,
    /// An HTTP client.
    pub http: Client,
    /// Where `auth` listens.
    pub auth: SocketAddr,
    /// Where `ingestion` listens.
    pub ingestion: SocketAddr,
    /// Directory of its sockets for datagrams and syslog, and of the files of its certificate.
    pub directory: PathBuf,
    /// Where `reporting` listens.
    pub reporting: SocketAddr,
    /// Where each one's health and metrics are: auth, ingestion, reporting.
    pub internal: [SocketAddr; 3],
}

/// What a test changes before the start.
pub struct Builder {
    database: TestDatabase,
    settings: Settings,
    postgres: SocketAddr,
}

impl Builder {
    /// The reporting time zone.
    #[must_use]
    pub fn time_zone(mut self, name: &str) -> Self {
        self.settings.reporting.time_zone = TimeZone::get(name).expect("an IANA zone");
        self
    }

    /// Where Redis is reached.
    #[must_use]
    pub fn redis(mut self, address: SocketAddr) -> Self {
        self.settings.redis.port = address.port();
        self
    }

    /// Where Postgres is reached.
    #[must_use]
    pub fn postgres(mut self, address: SocketAddr) -> Self {
        self.postgres = address;
        self
    }

    /// Any other setting.
    #[must_use]
    pub fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// A crowd on a busy machine must not make the stores look down.
    #[must_use]
    pub fn patient(self) -> Self {
        self.set(|settings| {
            settings.database.wait_milliseconds = 60_000;
            settings.redis.wait_milliseconds = 60_000;
        })
    }

    /// Starts the services.
    #[must_use]
    pub fn start(self) -> Rollcall {
        let Self {
            database,
            mut settings,
            postgres,
        } = self;
        let clock = Clock::manual("2025-02-13T10:53:56.356756Z".parse().expect("an instant"));
        let for_role = |settings: &Settings, role: &str| {
            let mut settings = settings.clone();
            settings.database = database.settings(role);
            settings.database.port = postgres.port();
            settings
        };
        let hashing = Hashing::new(&settings.auth);
        let auth = rollcall_auth::startup::build(
            &for_role(&settings, "auth"),
            clock.clone(),
            hashing.clone(),
        )
        .expect("auth");
        let api = |running: &Running| running.address.expect("an address");
        settings.token.jwks_url = format!("http://{}/.well-known/jwks.json", api(&auth));
        let directory = settings.receiver.socket_directory.clone();
        let mut for_ingestion = for_role(&settings, "ingestion");
        for_ingestion.server.socket_directory.clone_from(&directory);
        let ingestion =
            rollcall_ingestion::startup::build(&for_ingestion, clock.clone()).expect("ingestion");
        let reporting =
            rollcall_reporting::startup::build(&for_role(&settings, "reporting"), clock.clone())
                .expect("reporting");
        let rollcall = Rollcall {
            hashing,
            auth: api(&auth),
            ingestion: api(&ingestion),
            directory,
            reporting: api(&reporting),
            internal: [
                auth.internal_address,
                ingestion.internal_address,
                reporting.internal_address,
            ],
            database,
            clock,
            settings,
            http: Client::new(),
        };
        for service in [auth, ingestion, reporting] {
            tokio::spawn(service.run());
        }
        rollcall
    }
}

impl Rollcall {
    /// The services with a database of their own, not yet started.
    pub async fn builder() -> Builder {
        Self::builder_on(TestDatabase::new().await)
    }

    /// The services on a given database, not yet started.
    #[must_use]
    pub fn builder_on(database: TestDatabase) -> Builder {
        let mut settings = Settings::load().expect("settings");
        let redis = crate::redis();
        let any_port: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        settings.server.address = Some(any_port);
        settings.server.internal_address = any_port;
        settings.server.workers = 1;
        settings.token.jwks_socket_directory = PathBuf::new();
        // Tests sweep when they want it.
        settings.ingestion.sweep_seconds = u32::MAX;
        let directory = std::env::temp_dir().join(format!("rollcall-{}", Uuid::new_v4().simple()));
        std::fs::create_dir(&directory).expect("a directory");
        settings.ingestion.tls_certificate = directory.join("certificate.pem");
        settings.ingestion.tls_private_key = directory.join("private-key.pem");
        settings.receiver.radius_address = any_port;
        settings.receiver.syslog_address = any_port;
        settings.receiver.socket_directory = directory;
        settings.redis.host = redis.ip().to_string();
        settings.redis.port = redis.port();
        settings.redis.password_file = crate::password_file();
        settings.auth.key_directory =
            std::env::temp_dir().join(format!("rollcall-test-{}", Uuid::new_v4()));
        settings.auth.key_bits = 2048;
        Builder {
            database,
            settings,
            postgres: crate::postgres(),
        }
    }

    /// The services with a database of their own.
    pub async fn start() -> Self {
        Self::builder().await.start()
    }

    /// The operator's pool.
    #[must_use]
    pub fn operator(&self) -> Pool {
        Pool::new(&self.database.settings("operator")).expect("a pool")
    }

    /// A new API client: name and password.
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

    /// A new source: its key.
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

    /// Lets a source send from these networks, and sign its RADIUS packets with its own name, which is its key.
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
        assert!(done.await.expect("senders"));
    }

    /// A connection to one of ingestion's sockets, by its kind.
    pub async fn socket(&self, kind: &str) -> UnixStream {
        let sockets = socket::find(&self.directory, kind).expect("a directory");
        let path = sockets.first().expect("a socket");
        UnixStream::connect(path).await.expect("a connection")
    }

    /// What the sweeper does every few seconds.
    pub async fn sweep(&self) {
        let ingestion = Pool::new(&self.database.settings("ingestion")).expect("a pool");
        rollcall_ingestion::sweeper::sweep(&ingestion, &self.settings.reporting, self.clock.now())
            .await
            .expect("swept");
    }

    /// KB008's connect.
    pub async fn connect(&self, name: &str, password: &str) -> Response {
        let body = json!({"username": name, "password": password});
        self.http
            .post(format!("http://{}/api/v1/auth/connect", self.auth))
            .json(&body)
            .send()
            .await
            .expect("an answer")
    }

    /// A token of a new client.
    pub async fn token(&self, scope: &str) -> String {
        let (name, password) = self.client(scope).await;
        let answer: Value = self
            .connect(&name, &password)
            .await
            .json()
            .await
            .expect("JSON");
        answer["token"]
            .as_str()
            .unwrap_or_else(|| panic!("no token in {answer}"))
            .to_owned()
    }

    /// Sends JSON to the HTTP receiver.
    pub async fn send(&self, key: &str, events: &Value) -> Response {
        self.send_body(key, "application/json", events.to_string().into_bytes())
            .await
    }

    /// Sends any body to the HTTP receiver.
    pub async fn send_body(&self, key: &str, media_type: &str, body: Vec<u8>) -> Response {
        let request = self
            .http
            .post(format!("http://{}/api/v1/ingestion/events", self.ingestion))
            .bearer_auth(key);
        request
            .header(header::CONTENT_TYPE, media_type)
            .body(body)
            .send()
            .await
            .expect("an answer")
    }

    /// KB008's report.
    pub async fn report(&self, token: &str, filters: &Value) -> Response {
        let request = self
            .http
            .post(format!(
                "http://{}/api/v1/reporting/sessions",
                self.reporting
            ))
            .bearer_auth(token);
        request
            .json(&json!({"Filters": filters}))
            .send()
            .await
            .expect("an answer")
    }

    /// The rows of a report on all users.
    pub async fn rows(
        &self,
        token: &str,
        start_date: &str,
        end_date: &str,
        start_of_day: &str,
    ) -> Value {
        let filters = json!({"StartDate": start_date, "EndDate": end_date, "UserName": "All Users", "StartOfDay": start_of_day, "RequestDate": "2025-01-01"});
        let mut answer: Value = self
            .report(token, &filters)
            .await
            .json()
            .await
            .expect("JSON");
        assert_eq!(answer["statusCode"], 200, "{answer}");
        answer["data"].take()
    }
}

impl Drop for Rollcall {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.settings.auth.key_directory);
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
