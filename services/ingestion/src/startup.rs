//! Starts the service.

use std::{path::Path, sync::Arc, time::Duration};

use actix_web::{
    http::Method,
    web::{self, Data},
};
use rollcall_formats::syslog::Rules;
use rollcall_platform::{clock::Clock, request::only, server, settings::Settings, socket::Slot};
use rollcall_store::Pool;

use crate::{
    arrivals::Arrivals,
    body::Limits,
    budget::Budget,
    counts,
    receivers::{
        datagrams::{self, Datagrams},
        radius::Radius,
        syslog::{Syslog, connections},
        tls::Tls,
    },
    recorder::Recorder,
    routes,
    source_key::SourceKeys,
    source_networks::SourceNetworks,
    sweeper, upkeep,
};

/// Binds the service. Port 0 chooses a free port.
///
/// # Errors
/// A setting or address cannot be used; the error names it.
pub fn build(
    settings: &Settings,
    clock: Clock,
) -> Result<server::Running, Box<dyn std::error::Error>> {
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
    let source_networks = SourceNetworks::new(pool.clone());
    let syslog = Syslog {
        pool: pool.clone(),
        source_networks: source_networks.clone(),
        recorder: recorder.clone(),
        arrivals: arrivals.clone(),
        rules: Arc::new(rules(&settings.ingestion.rules_directory)?),
        data_id: settings.ingestion.syslog_data_id.clone(),
    };
    let radius = Radius::new(source_networks, recorder.clone(), arrivals.clone());
    let (recorder, arrivals) = (Data::from(recorder), Data::new(arrivals));
    let server = server::build(
        &settings.server,
        clock.clone(),
        vec![pool.health()],
        move |app| {
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
        },
    )?;
    open_sockets(settings, server.slot.as_ref(), &pool, (radius, syslog))?;
    tokio::spawn(counts::report());
    tokio::spawn(sweeper::run(pool.clone(), settings.clone(), clock.clone()));
    tokio::spawn(upkeep::run(pool, settings.clone(), clock));
    Ok(server)
}

/// Opens the sockets for datagrams and for syslog connections, if their directories are set.
fn open_sockets(
    settings: &Settings,
    slot: Option<&Slot>,
    pool: &Pool,
    (radius, syslog): (Radius, Syslog),
) -> std::io::Result<()> {
    if let Some(slot) = slot {
        let files = &settings.ingestion;
        let tls = Tls::new(&files.tls_certificate, &files.tls_private_key);
        connections::open(slot, syslog.clone(), tls)?;
    }
    let directory = &settings.receiver.socket_directory;
    if !directory.as_os_str().is_empty() {
        datagrams::open(directory, Datagrams { radius, syslog }, pool.clone())?;
    }
    Ok(())
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
    Ok(build(&settings, Clock::System)?.run().await?)
}
