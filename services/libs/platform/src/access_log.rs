//! The span and the log line of each request.

use std::sync::{Mutex, PoisonError};

use actix_web::{
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::HeaderMap,
    web::Data,
};
use opentelemetry::{global, propagation::Extractor};
use tracing::{Span, field::Empty};
use tracing_actix_web::RootSpanBuilder;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::log_sampler::{self, LogSampler};

/// Maximum number of pairs of address and status that are counted separately within a minute.
const MAX_CAUSES: usize = 10_000;

/// Counts rejected requests by client address and status. One request of each pair is logged per
/// minute, so that a flood of rejected requests does not displace the rest of the log.
pub(crate) struct RejectionLog(Mutex<LogSampler<(String, u16)>>);

impl Default for RejectionLog {
    fn default() -> Self {
        Self(Mutex::new(LogSampler::new(MAX_CAUSES)))
    }
}

impl RejectionLog {
    fn sampler(&self) -> std::sync::MutexGuard<'_, LogSampler<(String, u16)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Logs once a minute how many rejected requests had no line of their own. Never returns.
    pub(crate) async fn log_counts(&self) {
        loop {
            tokio::time::sleep(log_sampler::PERIOD).await;
            let counts = self.sampler().take();
            for ((peer, status), count) in counts.by_cause {
                tracing::warn!(
                    target: "access", peer, status, count,
                    "Further responses with this status to this address"
                );
            }
            if counts.others > 0 {
                tracing::warn!(
                    target: "access", count = counts.others,
                    "Further error responses to other addresses"
                );
            }
        }
    }
}

/// Creates the span of each request. The span continues the trace that the reverse proxy began. At
/// its end the access log line is written.
pub(crate) struct RequestSpan;

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
        let headers = request.headers();
        let span = tracing::info_span!(
            "request",
            otel.name = Empty,
            otel.kind = Empty,
            method = request.method().as_str(),
            path = request.path(),
            request_id = header(headers, "x-request-id"),
            peer = header(headers, "x-forwarded-for"),
        );
        let parent = global::get_text_map_propagator(|propagator| {
            propagator.extract(&Headers(request.headers()))
        });
        // Fails when no OTLP endpoint is configured. Then there is no trace to continue.
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
            } else if is_logged(outcome, status) {
                tracing::warn!(target: "access", status, "answered");
            }
        });
    }
}

fn is_logged<B>(outcome: &Result<ServiceResponse<B>, actix_web::Error>, status: u16) -> bool {
    let Ok(response) = outcome else { return true };
    let request = response.request();
    let Some(rejections) = request.app_data::<Data<RejectionLog>>() else {
        return true;
    };
    let peer = header(request.headers(), "x-forwarded-for").to_owned();
    rejections.sampler().is_new((peer, status))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}
