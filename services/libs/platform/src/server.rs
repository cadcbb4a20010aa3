//! Starting and stopping an HTTP service: the API on one port, health and metrics on an internal one.

use std::{net::SocketAddr, sync::LazyLock, time::Instant};

use actix_web::{
    App, HttpResponse, HttpServer,
    body::MessageBody,
    dev::{Server, ServiceRequest, ServiceResponse},
    http::{StatusCode, header::HeaderMap},
    middleware::{Next, from_fn},
    web::{self, Data, PayloadConfig, ServiceConfig},
};
use opentelemetry::{KeyValue, global, metrics::Histogram, propagation::Extractor};
use tracing::{Span, field::Empty};
use tracing_actix_web::{RootSpanBuilder, TracingLogger};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{
    envelope::Problem,
    health::{self, Check},
    settings,
    socket::{self, SocketFile},
};

/// A service that is bound and not yet running.
pub struct Running {
    /// Where the API was bound.
    pub address: SocketAddr,
    /// Where health and metrics were bound.
    pub internal_address: SocketAddr,
    api: Server,
    internal: Server,
    _socket: Option<SocketFile>,
}

/// Binds both ports, and the socket where one is set. `configure` adds the routes.
///
/// # Errors
/// An address or the socket cannot be bound.
pub fn build<F>(
    settings: &settings::Server,
    checks: Vec<Check>,
    configure: F,
) -> std::io::Result<Running>
where
    F: Fn(&mut ServiceConfig) + Clone + Send + 'static,
{
    let body_bytes = settings.body_bytes;
    let workers = if settings.workers == 0 {
        std::thread::available_parallelism()?.get()
    } else {
        settings.workers
    };
    let mut api = HttpServer::new(move || {
        App::new()
            .wrap(TracingLogger::<RequestSpan>::new())
            .wrap(from_fn(measure))
            .app_data(PayloadConfig::new(body_bytes))
            .configure(configure.clone())
            .default_service(web::to(not_found))
    })
    .workers(workers)
    .shutdown_timeout(settings.shutdown_seconds)
    .disable_signals()
    .bind(settings.address)?;
    let mut socket = None;
    if !settings.socket_directory.as_os_str().is_empty() {
        let listening =
            socket::host().and_then(|host| socket::listen(&settings.socket_directory, &host));
        let (listener, file) = listening.map_err(|error| {
            std::io::Error::new(error.kind(), format!("server.socket_directory: {error}"))
        })?;
        api = api.listen_uds(listener)?;
        socket = Some(file);
    }
    let (internal, internal_address) = internal(settings, checks)?;
    Ok(Running {
        address: api.addrs()[0],
        internal_address,
        api: api.run(),
        internal,
        _socket: socket,
    })
}

/// Binds health and metrics, and returns where. For a service without an API this is all of its
/// HTTP.
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
    /// Serves until SIGTERM or SIGINT, then until accepted requests are answered.
    ///
    /// # Errors
    /// Serving failed.
    pub async fn run(self) -> std::io::Result<()> {
        let handle = self.api.handle();
        let internal = tokio::spawn(self.internal);
        tokio::spawn(async move {
            stop_signal().await;
            tracing::info!("stopping");
            handle.stop(true).await;
        });
        tracing::info!(address = %self.address, internal_address = %self.internal_address, "serving");
        let outcome = self.api.await;
        internal.abort();
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
        tracing::error!("signals cannot be received: only SIGKILL stops this process");
        return std::future::pending().await;
    };
    tokio::select! { _ = terminate.recv() => (), _ = interrupt.recv() => () }
}

async fn not_found() -> Result<HttpResponse, Problem> {
    Err(Problem::new(
        StatusCode::NOT_FOUND,
        "There is nothing at this address. See the README for the addresses of this API.",
    ))
}

async fn metrics() -> Result<String, Problem> {
    prometheus::TextEncoder::new()
        .encode_to_string(&prometheus::gather())
        .map_err(|error| Problem::internal(&error))
}

/// Seconds from the request's head to the answer's head, by route, method and status.
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

/// The request's span: it continues the trace that the VIP began, and its end is the access log.
struct RequestSpan;

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0
            .keys()
            .map(actix_web::http::header::HeaderName::as_str)
            .collect()
    }
}

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let header = |name| {
            request
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        let span = tracing::info_span!(
            "request",
            otel.name = Empty,
            otel.kind = Empty,
            method = request.method().as_str(),
            path = request.path(),
            request_id = header("x-request-id"),
            peer = header("x-forwarded-for"),
        );
        let parent = global::get_text_map_propagator(|propagator| {
            propagator.extract(&Headers(request.headers()))
        });
        // Fails where no OTLP endpoint is set, and then there is no trace to continue.
        if span.set_parent(parent).is_ok() {
            let name = format!(
                "{} {}",
                request.method(),
                request.match_pattern().unwrap_or_default()
            );
            span.record("otel.name", name).record("otel.kind", "server");
        }
        span
    }

    fn on_request_end<B: MessageBody>(
        span: Span,
        outcome: &Result<ServiceResponse<B>, actix_web::Error>,
    ) {
        let status = outcome.as_ref().map_or_else(
            |error| error.as_response_error().status_code(),
            ServiceResponse::status,
        );
        let status = status.as_u16();
        span.in_scope(|| {
            if status < 400 {
                tracing::info!(target: "access", status, "answered");
            } else {
                tracing::warn!(target: "access", status, "answered");
            }
        });
    }
}
