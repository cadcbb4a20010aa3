//! Starts the service.

use std::{sync::Arc, time::Duration};

use actix_web::{
    http::Method,
    web::{self, Data},
};
use rollcall_platform::{clock::Clock, request::only, server, settings::Settings, socket::Slot};
use rollcall_store::{Pool, heartbeats};

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
    rejected_inputs::RejectedInputs,
    routes,
    rules::CurrentRules,
    source_key::SourceKeys,
    source_networks::SourceNetworks,
};

/// Binds the service. Port 0 chooses a free port.
///
/// # Errors
/// A setting is invalid or an address cannot be bound. The error names it.
pub fn build(
    settings: &Settings,
    clock: Clock,
) -> Result<server::Running, Box<dyn std::error::Error>> {
    let pool = Pool::new(&settings.database)?;
    let keys = Data::new(SourceKeys::new(pool.clone()));
    let recorder = Arc::new(Recorder::start(&pool, settings));
    let arrivals = Arrivals::new(clock.clone(), &settings.ingestion);
    let body_bytes = settings.server.body_bytes;
    let limits = Data::new(Limits {
        budget: Budget::new(settings.ingestion.body_budget_bytes, body_bytes)?,
        max_body_bytes: body_bytes,
        max_time: Duration::from_secs(settings.ingestion.request_seconds),
    });
    let rejected = RejectedInputs::start(pool.clone());
    let source_networks = SourceNetworks::new(pool.clone(), rejected.clone());
    let syslog = Syslog {
        source_networks: source_networks.clone(),
        recorder: recorder.clone(),
        rejected: rejected.clone(),
        arrivals: arrivals.clone(),
        rules: CurrentRules::start(settings.ingestion.rules_directory.clone()),
        zone: settings.reporting.time_zone.clone(),
        data_id: settings.ingestion.syslog_data_id.clone(),
    };
    let radius = Radius::new(
        source_networks,
        recorder.clone(),
        rejected.clone(),
        arrivals.clone(),
    );
    let (recorder, arrivals) = (Data::from(recorder), Data::new(arrivals));
    let rejected = Data::new(rejected);
    let server = server::build(&settings.server, clock, vec![pool.health()], move |app| {
        app.app_data(keys.clone())
            .app_data(limits.clone())
            .app_data(recorder.clone())
            .app_data(arrivals.clone())
            .app_data(rejected.clone())
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
    open_sockets(settings, server.slot.as_ref(), &pool, (radius, syslog))?;
    tokio::spawn(counts::report());
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
