//! For tests: a database of one's own, the real services on port 0, a network that can be cut.
//!
//! Postgres and Redis are real; `scripts/test` starts them in containers and says where in the environment.
#![allow(
    clippy::missing_panics_doc,
    reason = "a test helper that cannot do its work fails the test"
)]

pub mod database;
pub mod proxy;
pub mod radius;
pub mod rollcall;
pub mod snapshot;

pub use database::{TestDatabase, login, record};
pub use proxy::Proxy;
pub use rollcall::{Builder, Rollcall};

use std::net::SocketAddr;

/// A variable that `scripts/test` sets.
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run scripts/test, or source target/test-services.env")
    })
}

/// Where a server listens, as `127.0.0.1:5432`.
fn address(name: &str) -> SocketAddr {
    variable(name)
        .parse()
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The address of the test Postgres.
#[must_use]
pub fn postgres() -> SocketAddr {
    address("TEST_POSTGRES")
}

/// The address of the test Redis.
#[must_use]
pub fn redis() -> SocketAddr {
    address("TEST_REDIS")
}

/// The file with the password of all test roles.
#[must_use]
pub fn password_file() -> std::path::PathBuf {
    variable("TEST_PASSWORD_FILE").into()
}
