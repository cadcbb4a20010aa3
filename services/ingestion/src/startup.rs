//! Puts the service together.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use actix_web::{
    http::Method,
    web::{self, Data},
};
use rollcall_formats::syslog::Rules;
use rollcall_platform::{clock::Clock, request::only, server, settings::Settings};
use rollcall_store::Pool;

use crate::{
    arrivals::Arrivals,
    body::Limits,
    budget::Budget,
    doors::{
        radius,
        syslog::{self, Syslog},
    },
    recorder::Recorder,
    routes,
    senders::Senders,
    source_key::SourceKeys,
    sweeper, upkeep,
};

/// The service, bound; HTTP is not yet running.
pub struct Ingestion {
    /// The HTTP door.
    pub server: server::Running,
    /// The RADIUS door.
    pub radius: SocketAddr,
    /// The syslog doors.
    pub syslog_udp: SocketAddr,
    /// The same over TCP.
    pub syslog_tcp: SocketAddr,
}

/// Binds the service, on port 0 if so set. It asks Postgres alone.
///
/// # Errors
/// A setting or address is bad; the error says which.
pub fn build(settings: &Settings, clock: Clock) -> Result<Ingestion, Box<dyn std::error::Error>> {
    let pool = Pool::new(&settings.database)?;
    let keys = Data::new(SourceKeys::new(pool.clone()));
    let recorder = Arc::new(Recorder::start(&pool, &settings.ingestion));
    let arrivals = Arrivals::new(clock.clone(), &settings.ingestion);
    let body_bytes = settings.server.body_bytes;
    let limits = Data::new(Limits {
        budget: Budget::new(settings.ingestion.body_budget_bytes, body_bytes)?,
        body_bytes,
        time: Duration::from_secs(settings.ingestion.request_seconds),
    });
    let senders = Senders::new(pool.clone());
    let syslog = Syslog {
        pool: pool.clone(),
        senders: senders.clone(),
        recorder: recorder.clone(),
        arrivals: arrivals.clone(),
        rules: Arc::new(rules(&settings.ingestion.rules_directory)?),
        data_id: settings.ingestion.syslog_data_id.clone(),
    };
    let radius = radius::open(
        settings.ingestion.radius_address,
        senders,
        recorder.clone(),
        arrivals.clone(),
    )?;
    let syslog_udp = syslog::open_udp(settings.ingestion.syslog_udp_address, syslog.clone())?;
    let syslog_tcp = syslog::open_tcp(settings.ingestion.syslog_tcp_address, syslog)?;
    let (recorder, arrivals) = (Data::from(recorder), Data::new(arrivals));
    let server = server::build(&settings.server, vec![pool.health()], move |app| {
        app.app_data(keys.clone())
            .app_data(limits.clone())
            .app_data(recorder.clone())
            .app_data(arrivals.clone())
            .service(only(
                "/api/v1/ingestion/events",
                &Method::POST,
                web::post().to(routes::events::events),
            ))
            .service(only(
                "/api/v1/ingestion/openapi.json",
                &Method::GET,
                web::get().to(crate::openapi::document),
            ));
    })?;
    tokio::spawn(sweeper::run(pool.clone(), settings.clone(), clock.clone()));
    tokio::spawn(upkeep::run(pool, settings.clone(), clock));
    Ok(Ingestion {
        server,
        radius,
        syslog_udp,
        syslog_tcp,
    })
}

/// The operator's own rules, by the names of their files, and after them the shipped ones.
///
/// # Errors
/// A file cannot be read, or a rule in it is bad; the error says which.
pub fn rules(directory: &Path) -> Result<Rules, Box<dyn std::error::Error>> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Ok(Rules::shipped());
    };
    let mut files: Vec<_> = entries
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .map(|entry| entry.path())
        .collect();
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "toml")
    });
    files.sort();
    let mut rules = Rules::parse("")?;
    for file in files {
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let text = std::fs::read_to_string(&file).map_err(|error| named(&error))?;
        rules = rules.then(Rules::parse(&text).map_err(|error| named(&error))?);
    }
    Ok(rules.then(Rules::shipped()))
}

/// Serves until it is told to stop.
///
/// # Errors
/// As of [`build`], or serving failed.
pub async fn serve(settings: Settings) -> Result<(), Box<dyn std::error::Error>> {
    Ok(build(&settings, Clock::System)?.server.run().await?)
}
