//! Support for service tests: a database for each test, the real services on free ports, and a
//! network that can be cut.
//!
//! PostgreSQL and Redis are real. `scripts/test` starts them in containers and sets the variables
//! `TEST_POSTGRES`, `TEST_REDIS` and `TEST_PASSWORD_FILE`.
#![allow(
    clippy::missing_panics_doc,
    reason = "a test helper that cannot do its work fails the test"
)]

mod builder;
pub mod database;
pub mod proxy;
pub mod radius;
mod requests;
pub mod rollcall;
pub mod snapshot;
mod spans;

pub use builder::Builder;
pub use database::{TestDatabase, login, record, unlimited_arrival};
pub use proxy::Proxy;
pub use rollcall::Rollcall;
pub use spans::Spans;

use std::net::SocketAddr;

/// Returns a variable that `scripts/test` sets.
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run scripts/test, or source target/test-services.env")
    })
}

/// Returns the address in a variable, such as `127.0.0.1:5432`.
fn address(name: &str) -> SocketAddr {
    variable(name)
        .parse()
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Returns the address of the test PostgreSQL.
#[must_use]
pub fn postgres() -> SocketAddr {
    address("TEST_POSTGRES")
}

/// Returns the address of the test Redis.
#[must_use]
pub fn redis() -> SocketAddr {
    address("TEST_REDIS")
}

/// Returns the path of the file with the password of all test roles.
#[must_use]
pub fn password_file() -> std::path::PathBuf {
    variable("TEST_PASSWORD_FILE").into()
}
