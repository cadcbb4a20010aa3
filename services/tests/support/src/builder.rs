//! Settings of the services under test, and their start.

use std::{net::SocketAddr, path::PathBuf};

use jiff::tz::TimeZone;
use reqwest::Client;
use rollcall_auth::hashing::Hashing;
use rollcall_platform::{clock::Clock, server::Running, settings::Settings};
use uuid::Uuid;

use crate::{Rollcall, TestDatabase};

/// The services before their start, with what a test can change.
pub struct Builder {
    database: TestDatabase,
    settings: Settings,
    postgres: SocketAddr,
}

impl Builder {
    /// Prepares the services on a database.
    pub(crate) fn on(database: TestDatabase) -> Self {
        let mut settings = Settings::load().expect("settings");
        let redis = crate::redis();
        let any_port: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        settings.server.address = Some(any_port);
        settings.server.internal_address = any_port;
        settings.server.workers = 1;
        settings.token.jwks_socket_directory = PathBuf::new();
        let directory = std::env::temp_dir().join(format!("rollcall-{}", Uuid::new_v4().simple()));
        std::fs::create_dir(&directory).expect("a directory");
        settings.ingestion.tls_certificate = directory.join("certificate.pem");
        settings.ingestion.tls_private_key = directory.join("private-key.pem");
        settings.ingestion.rules_directory = directory.join("rules");
        settings.receiver.radius_address = any_port;
        settings.receiver.syslog_address = any_port;
        settings.reporting.scratch_directory.clone_from(&directory);
        settings
            .console
            .certificate_directory
            .clone_from(&directory);
        settings.receiver.socket_directory = directory;
        settings.redis.host = redis.ip().to_string();
        settings.redis.port = redis.port();
        settings.redis.password_file = crate::password_file();
        settings.auth.key_directory =
            std::env::temp_dir().join(format!("rollcall-test-{}", Uuid::new_v4()));
        settings.auth.key_bits = 2048;
        Self {
            database,
            settings,
            postgres: crate::postgres(),
        }
    }

    /// Writes a file with syslog rules before ingestion starts.
    #[must_use]
    pub fn rules(self, name: &str, text: &str) -> Self {
        crate::rollcall::write_rules(&self.settings, name, text);
        self
    }

    /// Sets the reporting time zone.
    #[must_use]
    pub fn time_zone(mut self, name: &str) -> Self {
        self.settings.reporting.time_zone = TimeZone::get(name).expect("an IANA zone");
        self
    }

    /// Sets the address by which the services reach Redis.
    #[must_use]
    pub fn redis(mut self, address: SocketAddr) -> Self {
        self.settings.redis.port = address.port();
        self
    }

    /// Sets the address by which the services reach PostgreSQL.
    #[must_use]
    pub fn postgres(mut self, address: SocketAddr) -> Self {
        self.postgres = address;
        self
    }

    /// Changes any other setting.
    #[must_use]
    pub fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Waits for PostgreSQL and Redis for up to 60 seconds, so that many requests at once on a busy
    /// machine do not make them look unavailable.
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
        let console =
            rollcall_console::startup::build(&for_role(&settings, "console"), clock.clone())
                .expect("console");
        let rollcall = Rollcall {
            hashing,
            auth: api(&auth),
            ingestion: api(&ingestion),
            directory,
            reporting: api(&reporting),
            console: api(&console),
            internal: [
                auth.internal_address,
                ingestion.internal_address,
                reporting.internal_address,
                console.internal_address,
            ],
            database,
            clock,
            settings,
            http: Client::new(),
        };
        for service in [auth, ingestion, reporting, console] {
            tokio::spawn(service.run());
        }
        rollcall
    }
}
