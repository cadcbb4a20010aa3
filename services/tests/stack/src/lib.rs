//! Helpers for black-box tests of the running stack: through the VIP, with third-party clients.
//!
//! `scripts/test` starts a stack and describes it in the environment:
//!
//! | variable | value |
//! |---|---|
//! | `STACK_URL` | URL of the VIP, such as `https://127.0.0.1:8443` |
//! | `STACK_ROOT` | checkout that the stack was started from |
//! | `STACK_PROJECT` | Compose project of the stack |
//!
//! Client commands run in the image of `docker/clients`, and those of a browser in the image of
//! `docker/browser`, on the network of the host.
#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a test helper that cannot do its work fails the test"
)]

mod accounts;
mod attendance;
mod commands;
mod compose_file;
mod containers;
mod http;
mod once;
mod tls;

pub use accounts::{
    LocalSource, api_client, local_source, rollcall_json, shared_local_source, source,
    source_named, token,
};
pub use attendance::{import, record, session};
pub use commands::{compose, docker, metrics, psql, run_in, run_script, script};
pub use compose_file::AdditionalComposeFile;
pub use containers::{
    BackgroundContainer, CLIENTS, client, clients_mount, run_client, start_client, start_client_on,
    start_direct_client,
};
pub use http::{Answer, JSON_FROM_STDIN, curl, parse, post_json, report, send};
pub use once::once;
pub use tls::assert_tls_is_mozilla_intermediate;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

/// Returns the URL of the VIP, such as `https://127.0.0.1:8443`.
#[must_use]
pub fn url() -> String {
    std::env::var("STACK_URL").expect("STACK_URL is not set: run scripts/test")
}

/// Returns the VIP's port number plus `offset`. RADIUS is at 1, syslog at 2 and syslog over TLS
/// at 3. Ports from 4 on are free for tests.
pub fn port(offset: u16) -> String {
    let https: u16 = url()
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok())
        .expect("a port");
    (https + offset).to_string()
}

/// Returns the checkout that the stack was started from.
#[must_use]
pub fn root() -> PathBuf {
    std::env::var("STACK_ROOT")
        .expect("STACK_ROOT is not set: run scripts/test")
        .into()
}

/// Returns the Compose project of the stack. Its containers, networks and images are named by it.
#[must_use]
pub fn project() -> String {
    std::env::var("STACK_PROJECT").expect("STACK_PROJECT is not set: run scripts/test")
}

/// Waits until the condition holds. Panics after one minute; `expected` names the missing event.
pub fn eventually(expected: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(
            started.elapsed() < Duration::from_mins(1),
            "{expected} did not occur within one minute"
        );
        std::thread::sleep(Duration::from_millis(300));
    }
}
