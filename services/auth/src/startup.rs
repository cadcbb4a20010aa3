//! Starts the service.

use std::time::Duration;

use actix_web::{
    http::Method,
    web::{self, Data, PayloadConfig},
};
use rollcall_platform::{
    allow_list::AllowList, clock::Clock, request::only, server, settings::Settings,
};
use rollcall_store::{Pool, heartbeats, sign_ins};

use crate::{credentials::Credentials, hashing::Hashing, keys::Keys, routes, tokens::Tokens};

/// Maximum size of a request body. Credentials and tokens are short.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// Time between two removals of sign-in attempts that are no longer needed.
const PRUNE_INTERVAL: Duration = Duration::from_mins(1);

/// Binds the service. Port 0 chooses a free port. The caller keeps `hashing` to read its
/// statistics.
///
/// # Errors
/// A setting or key is invalid, or an address cannot be bound. The error names it.
pub fn build(
    settings: &Settings,
    clock: Clock,
    hashing: Hashing,
) -> Result<server::Running, Box<dyn std::error::Error>> {
    let pool = Pool::new(&settings.database)?;
    let allow_list = AllowList::new(&settings.redis)?;
    let keys = Keys::open(settings, &clock)?;
    let credentials = Data::new(Credentials::new(
        pool.clone(),
        &settings.auth,
        hashing,
        clock.clone(),
    )?);
    let tokens = Data::new(Tokens::new(
        keys,
        allow_list.clone(),
        settings.token.clone(),
        clock.clone(),
    ));
    let checks = vec![pool.health(), allow_list.health()];
    let pool = Data::new(pool);
    let running = server::build(&settings.server, clock, checks, move |app| {
        app.app_data(PayloadConfig::new(MAX_BODY_BYTES))
            .app_data(credentials.clone())
            .app_data(tokens.clone())
            .app_data(pool.clone())
            .service(only(
                "/api/v1/auth/connect",
                &Method::POST,
                web::post().to(routes::connect::connect),
            ))
            .service(only(
                "/api/v1/auth/openapi.json",
                &Method::GET,
                web::get().to(crate::openapi::document),
            ))
            .service(only(
                "/oauth2/token",
                &Method::POST,
                web::post().to(routes::token::token),
            ))
            .service(only(
                "/oauth2/introspect",
                &Method::POST,
                web::post().to(routes::introspect::introspect),
            ))
            .service(only(
                "/oauth2/revoke",
                &Method::POST,
                web::post().to(routes::revoke::revoke),
            ))
            .service(only(
                "/.well-known/jwks.json",
                &Method::GET,
                web::get().to(routes::jwks::jwks),
            ))
            .service(only(
                "/.well-known/oauth-authorization-server",
                &Method::GET,
                web::get().to(routes::metadata::metadata),
            ));
    })?;
    Ok(running)
}

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// The service cannot be built (see [`build`]), or fails while it runs.
pub async fn serve(settings: Settings) -> Result<(), Box<dyn std::error::Error>> {
    let hashing = Hashing::new(&settings.auth);
    hashing.export();
    let pruning = tokio::spawn(prune_sign_ins(
        Pool::new(&settings.database)?,
        Clock::System,
    ));
    let running = build(&settings, Clock::System, hashing)?;
    heartbeats::start(
        &settings.database,
        running.checks.clone(),
        Clock::System.now(),
    )?;
    let outcome = running.run().await;
    pruning.abort();
    Ok(outcome?)
}

/// Removes sign-in attempts that are no longer needed. Several replicas can do this at the same
/// time.
async fn prune_sign_ins(pool: Pool, clock: Clock) {
    loop {
        tokio::time::sleep(PRUNE_INTERVAL).await;
        let now = clock.now();
        let pruned = pool.ask(async |connection| sign_ins::prune(connection, now).await);
        if let Err(error) = pruned.await {
            tracing::warn!(%error, "Failed to prune sign-in attempts, retrying");
        }
    }
}
