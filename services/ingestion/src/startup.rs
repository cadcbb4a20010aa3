//! Puts the service together.

use actix_web::{
    http::Method,
    web::{self, Data},
};
use platform::{request::only, server, settings::Settings};
use store::Pool;

use crate::{recorder::Recorder, routes, source_key::SourceKeys};

/// Binds the service, on port 0 if so set. It asks Postgres alone.
///
/// # Errors
/// A setting or address is bad; the error says which.
pub fn build(settings: &Settings) -> Result<server::Running, Box<dyn std::error::Error>> {
    let pool = Pool::new(&settings.database)?;
    let keys = Data::new(SourceKeys::new(pool.clone()));
    let recorder = Data::new(Recorder::start(&pool, &settings.ingestion));
    let running = server::build(&settings.server, vec![pool.health()], move |app| {
        app.app_data(keys.clone())
            .app_data(recorder.clone())
            .service(only("/api/v1/ingestion/events", &Method::POST, web::post().to(routes::events::events)))
            .service(only("/api/v1/ingestion/openapi.json", &Method::GET, web::get().to(crate::openapi::document)));
    })?;
    Ok(running)
}

/// Serves until it is told to stop.
///
/// # Errors
/// As of [`build`], or serving failed.
pub async fn serve(settings: Settings) -> Result<(), Box<dyn std::error::Error>> {
    Ok(build(&settings)?.run().await?)
}
