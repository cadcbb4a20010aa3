//! Starts and stops an HTTP service. The API listens on a Unix socket or a TCP address, health and
//! metrics on an internal address.

use std::{
    net::SocketAddr,
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use actix_web::{
    App, HttpResponse, HttpServer,
    body::MessageBody,
    dev::{Server, ServiceRequest, ServiceResponse},
    error::ErrorInternalServerError,
    http::{ConnectionType, StatusCode},
    middleware::{Next, from_fn},
    web::{self, Data, PayloadConfig, ServiceConfig},
};
use opentelemetry::{KeyValue, global, metrics::Histogram};
use tracing_actix_web::TracingLogger;

use crate::{
    access_log::{RejectionLog, RequestSpan},
    clock::Clock,
    envelope::{Problem, respond_to_problem},
    health::{self, Check},
    settings,
    socket::{Slot, SocketFile},
};

/// A service that is bound but not yet running.
pub struct Running {
    /// TCP address of the API, if one is set.
    pub address: Option<SocketAddr>,
    /// Address of health and metrics.
    pub internal_address: SocketAddr,
    /// Slot of the API's socket, if a directory is set. Further sockets of the service use the same
    /// slot.
    pub slot: Option<Slot>,
    /// Health checks of the service.
    pub checks: Vec<Check>,
    api: Server,
    internal: Server,
    socket: Option<SocketFile>,
    draining: Data<Draining>,
    drain: Duration,
    rejections: Data<RejectionLog>,
}

/// True while the service stops. Each response then closes its connection.
#[derive(Default)]
struct Draining(AtomicBool);

/// Binds the socket and the addresses that are set. `configure` adds the routes. Errors are dated
/// by
/// `clock`.
///
/// # Errors
/// The socket or an address cannot be bound, or neither is set.
pub fn build<F>(
    settings: &settings::Server,
    clock: Clock,
    checks: Vec<Check>,
    configure: F,
) -> std::io::Result<Running>
where
    F: Fn(&mut ServiceConfig) + Clone + Send + 'static,
{
    let (draining, rejections) = (Data::<Draining>::default(), Data::<RejectionLog>::default());
    let body_bytes = settings.body_bytes;
    let workers = if settings.workers == 0 {
        std::thread::available_parallelism()?.get()
    } else {
        settings.workers
    };
    let (app_draining, app_rejections) = (draining.clone(), rejections.clone());
    let clock = Data::new(clock);
    let mut api = HttpServer::new(move || {
        App::new()
            .wrap(TracingLogger::<RequestSpan>::new())
            .wrap(from_fn(measure))
            .wrap(from_fn(close_while_draining))
            .wrap(from_fn(respond_to_problem))
            .app_data(clock.clone())
            .app_data(app_draining.clone())
            .app_data(app_rejections.clone())
            .app_data(PayloadConfig::new(body_bytes))
            .configure(configure.clone())
            .default_service(web::to(async || Err::<HttpResponse, _>(not_found())))
    })
    .workers(workers)
    .shutdown_timeout(settings.shutdown_seconds)
    .disable_signals();
    if let Some(address) = settings.address {
        api = api.bind(address)?;
    }
    let address = api.addrs().first().copied();
    let (mut slot, mut socket) = (None, None);
    if !settings.socket_directory.as_os_str().is_empty() {
        let claimed = Slot::claim(&settings.socket_directory).map_err(|error| {
            std::io::Error::new(error.kind(), format!("server.socket_directory: {error}"))
        })?;
        let (listener, file) = claimed.listen("http")?;
        api = api.listen_uds(listener)?;
        (slot, socket) = (Some(claimed), Some(file));
    }
    if address.is_none() && socket.is_none() {
        return Err(std::io::Error::other(
            "the API has no address: set server.socket_directory or server.address",
        ));
    }
    let (internal, internal_address) = internal(settings, checks.clone())?;
    Ok(Running {
        address,
        internal_address,
        slot,
        checks,
        api: api.run(),
        internal,
        socket,
        draining,
        drain: Duration::from_millis(settings.drain_milliseconds),
        rejections,
    })
}

/// Binds the internal server, with health and metrics, and returns it with its address. A service
/// without an API needs only this one.
///
/// # Errors
/// The address cannot be bound.
pub fn internal(
    settings: &settings::Server,
    checks: Vec<Check>,
) -> std::io::Result<(Server, SocketAddr)> {
    let checks = Data::new(checks);
    let internal = HttpServer::new(move || {
        App::new()
            .app_data(checks.clone())
            .route("/health/live", web::get().to(health::live))
            .route("/health/ready", web::get().to(health::ready))
            .route("/metrics", web::get().to(metrics))
    })
    .workers(1)
    .shutdown_timeout(1)
    .disable_signals()
    .bind(settings.internal_address)?;
    let address = internal.addrs()[0];
    Ok((internal.run(), address))
}

impl Running {
    /// Serves until SIGTERM or SIGINT. Returns when all accepted requests are answered.
    ///
    /// # Errors
    /// Serving failed.
    pub async fn run(self) -> std::io::Result<()> {
        self.run_until(stop_signal()).await
    }

    /// Serves until `stop` is ready. Returns when all accepted requests are answered.
    ///
    /// # Errors
    /// Serving failed.
    pub async fn run_until(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let handle = self.api.handle();
        let internal = tokio::spawn(self.internal);
        let counts = tokio::spawn(async move { self.rejections.log_counts().await });
        tracing::info!(
            address = ?self.address, internal_address = %self.internal_address, "Serving"
        );
        tokio::spawn(async move {
            stop.await;
            tracing::info!("Stopping");
            // A single replica keeps its socket and stops at once. If it removed the socket first,
            // new connections would find no replica.
            let (_socket, draining) = (self.socket, self.draining);
            if let Some(slot) = self.slot
                && slot.has_other_replica()
            {
                draining.0.store(true, Ordering::Relaxed);
                slot.withdraw();
                tokio::time::sleep(self.drain).await;
            }
            handle.stop(true).await;
        });
        let outcome = self.api.await;
        internal.abort();
        counts.abort();
        outcome
    }
}

/// Waits for SIGTERM or SIGINT.
pub async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        tracing::error!("Failed to register signal handlers: only SIGKILL stops this process");
        return std::future::pending().await;
    };
    tokio::select! { _ = terminate.recv() => (), _ = interrupt.recv() => () }
}

/// Closes the connection after each response while the service stops, so that the client's next
/// connection goes to another replica.
async fn close_while_draining(
    draining: Data<Draining>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let mut response = next.call(request).await?;
    if draining.0.load(Ordering::Relaxed) {
        response
            .response_mut()
            .head_mut()
            .set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}

/// Returns 404 for a path without a route.
#[must_use]
pub fn not_found() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "There is nothing at this address. The API is described at /api/docs/.",
    )
}

async fn metrics() -> actix_web::Result<String> {
    prometheus::TextEncoder::new()
        .encode_to_string(&prometheus::gather())
        .map_err(ErrorInternalServerError)
}

/// Measures the seconds from the request head to the response head, by route, method and status.
async fn measure(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    static DURATION: LazyLock<Histogram<f64>> = LazyLock::new(|| {
        global::meter("platform")
            .f64_histogram("http.server.request.duration")
            .with_unit("s")
            .with_boundaries(vec![
                0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
            ])
            .build()
    });
    let started = Instant::now();
    let route = request.match_pattern().unwrap_or_else(|| "none".into());
    let method = request.method().to_string();
    let response = next.call(request).await;
    let status = response.as_ref().map_or_else(
        |error| error.as_response_error().status_code(),
        ServiceResponse::status,
    );
    DURATION.record(
        started.elapsed().as_secs_f64(),
        &[
            KeyValue::new("http.route", route),
            KeyValue::new("http.request.method", method),
            KeyValue::new("http.response.status_code", i64::from(status.as_u16())),
        ],
    );
    response
}
