//! Dependencies that all pages share.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use rollcall_platform::{
    clock::Clock,
    settings::{self, Settings},
};
use rollcall_reports::{Pools, Reports};
use rollcall_store::{Pool, audit_log};
use serde_json::Value;

use crate::{auth::Auth, error::Problem, sessions::Sessions, visitor::Visitor};

/// Dependencies of the pages.
pub struct Console {
    /// Connections of the role `console`.
    pub pool: Pool,
    /// Sessions of signed-in visitors.
    pub sessions: Sessions,
    /// Client of the service `auth`.
    pub auth: Auth,
    /// Settings of reports.
    pub reporting: settings::Reporting,
    /// Reports, within the limits on large ones.
    pub reports: Reports,
    /// Address of this installation, which is also the issuer of tokens.
    pub url: String,
    /// Directory with the certificates of this installation.
    pub certificate_directory: PathBuf,
    /// The clock.
    pub clock: Clock,
}

impl Console {
    /// Creates the dependencies.
    ///
    /// # Errors
    /// A password file cannot be read, or an address is invalid.
    pub fn new(settings: &Settings, clock: Clock) -> Result<Self, Box<dyn std::error::Error>> {
        let pools = Pools::new(settings)?;
        Ok(Self {
            pool: pools.short.clone(),
            reports: Reports::new(pools, settings.reporting.clone(), clock.clone()),
            sessions: Sessions::new(&settings.redis, clock.clone())?,
            auth: Auth::new(&settings.token)?,
            reporting: settings.reporting.clone(),
            url: settings.token.issuer.clone(),
            certificate_directory: settings.console.certificate_directory.clone(),
            clock,
        })
    }

    /// Returns the reporting time zone, which is that of the calendar `default`.
    #[must_use]
    pub fn time_zone(&self) -> &TimeZone {
        &self.reporting.time_zone
    }

    /// Adds an entry to the audit log, with the visitor as actor.
    ///
    /// # Errors
    /// The database fails, or the API client has been disabled meanwhile.
    pub async fn audit(
        &self,
        visitor: &Visitor,
        action: &str,
        detail: Value,
    ) -> Result<(), Problem> {
        let written = self.pool.ask(async |connection| {
            audit_log::write_for_client(connection, &visitor.client, action, detail).await
        });
        if written.await? {
            Ok(())
        } else {
            Err(Problem::signed_out(&visitor.frame.path))
        }
    }
}
