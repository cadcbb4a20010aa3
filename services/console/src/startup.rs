//! Starts the service.

use actix_web::web::{Data, PayloadConfig};
use rollcall_platform::{clock::Clock, server, settings::Settings};
use rollcall_store::heartbeats;

use crate::{console::Console, routes};

/// Maximum size of the body of a form. The upload of employee mappings has its own limit.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Binds the service. Port 0 chooses a free port.
///
/// # Errors
/// A setting is invalid or an address cannot be bound. The error names it.
pub fn build(
    settings: &Settings,
    clock: Clock,
) -> Result<server::Running, Box<dyn std::error::Error>> {
    let console = Console::new(settings, clock.clone())?;
    let checks = vec![console.sessions.health(), console.pool.health()];
    let console = Data::new(console);
    let running = server::build(&settings.server, clock, checks, move |app| {
        app.app_data(PayloadConfig::new(MAX_BODY_BYTES))
            .app_data(console.clone())
            .service(routes::all());
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
