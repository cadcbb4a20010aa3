//! Starts the service.

use actix_web::{
    http::Method,
    web::{self, Data, PayloadConfig},
};
use rollcall_platform::{
    allow_list::AllowList, clock::Clock, jwks::Jwks, request::only, server, settings::Settings,
    token::Verifier,
};
use rollcall_store::heartbeats;

use crate::{
    access::Access,
    openapi,
    rate_limit::RateLimit,
    reports::{Pools, Reports},
    v1, v2,
};

/// Maximum size of a request body. A request for a report is short.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Binds the service. Port 0 chooses a free port.
///
/// # Errors
/// A setting is invalid or an address cannot be bound. The error names it.
pub fn build(
    settings: &Settings,
    clock: Clock,
) -> Result<server::Running, Box<dyn std::error::Error>> {
    let pools = Pools::new(settings)?;
    let allow_list = AllowList::new(&settings.redis)?;
    let jwks = Jwks::new(&settings.token);
    let mut checks = vec![allow_list.health(), jwks.health()];
    if settings.reporting.database_enabled {
        checks.push(pools.short.health());
    }
    let access = Data::new(Access::new(
        Verifier::new(&settings.token, jwks, allow_list, clock.clone()),
        RateLimit::new(
            settings.reporting.requests_per_second,
            settings.reporting.requests_burst,
        ),
    ));
    let reports = Data::new(Reports::new(
        pools,
        settings.reporting.clone(),
        clock.clone(),
    ));
    let running = server::build(&settings.server, clock, checks, move |app| {
        app.app_data(PayloadConfig::new(MAX_BODY_BYTES))
            .app_data(access.clone())
            .app_data(reports.clone())
            .service(only(
                "/api/v1/reporting/sessions",
                &Method::POST,
                web::post().to(v1::sessions::sessions),
            ))
            .service(only(
                "/api/v1/reporting/openapi.json",
                &Method::GET,
                web::get().to(openapi::document),
            ))
            .service(openapi::page())
            .service(v2::routes());
    })?;
    Ok(running)
}

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// See [`build`]; or serving failed.
pub async fn serve(settings: Settings) -> Result<(), Box<dyn std::error::Error>> {
    let running = build(&settings, Clock::System)?;
    heartbeats::start(
        &settings.database,
        running.checks.clone(),
        Clock::System.now(),
    )?;
    Ok(running.run().await?)
}
