//! Telemetry: logs as JSON lines and Prometheus metrics. If an OTLP endpoint is set, traces,
//! metrics and logs are also exported over OTLP.

use std::{sync::mpsc, thread, time::Duration};

use opentelemetry::{global, trace::TracerProvider as _};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{LogExporter, MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource, error::OTelSdkResult, logs::SdkLoggerProvider, metrics::SdkMeterProvider,
    propagation::TraceContextPropagator, trace::SdkTracerProvider,
};
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use crate::settings;

type Failure = Box<dyn std::error::Error>;

/// Exporters that must be flushed before the process ends.
#[derive(Debug, Default)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
    metrics: Option<SdkMeterProvider>,
    logs: Option<SdkLoggerProvider>,
}

/// Starts telemetry for the whole process.
///
/// # Errors
/// The log filter or the endpoint is invalid.
pub fn start(service: &'static str, settings: &settings::Telemetry) -> Result<Telemetry, Failure> {
    let resource = Resource::builder().with_service_name(service).build();
    let endpoint =
        Some(settings.otlp_endpoint.trim_end_matches('/')).filter(|endpoint| !endpoint.is_empty());
    // Propagate trace context only when an OTLP endpoint is configured.
    if endpoint.is_some() {
        global::set_text_map_propagator(TraceContextPropagator::new());
    }
    let telemetry = Telemetry {
        traces: endpoint
            .map(|endpoint| traces(endpoint, resource.clone()))
            .transpose()?,
        metrics: Some(metrics(endpoint, resource.clone())?),
        logs: endpoint
            .map(|endpoint| logs(endpoint, resource))
            .transpose()?,
    };
    let filter =
        EnvFilter::try_new(&settings.log).map_err(|error| format!("telemetry.log: {error}"))?;
    let json = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        // The request ID is a field of the outermost span.
        .with_span_list(true);
    let spans = telemetry
        .traces
        .as_ref()
        .map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer(service)));
    // Exclude the HTTP client of the exporter. Otherwise each export would log requests that are
    // exported in turn.
    let exported = EnvFilter::try_new("info,hyper=off,reqwest=off,opentelemetry=off")?;
    let records = telemetry
        .logs
        .as_ref()
        .map(|provider| OpenTelemetryTracingBridge::new(provider).with_filter(exported));
    tracing_subscriber::registry()
        .with(filter)
        .with(json)
        .with(spans)
        .with(records)
        .try_init()?;
    Ok(telemetry)
}

fn traces(endpoint: &str, resource: Resource) -> Result<SdkTracerProvider, Failure> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{endpoint}/v1/traces"))
        .build()?;
    Ok(SdkTracerProvider::builder()
        .with_resource(resource)
        .with_batch_exporter(exporter)
        .build())
}

fn logs(endpoint: &str, resource: Resource) -> Result<SdkLoggerProvider, Failure> {
    let exporter = LogExporter::builder()
        .with_http()
        .with_endpoint(format!("{endpoint}/v1/logs"))
        .build()?;
    Ok(SdkLoggerProvider::builder()
        .with_resource(resource)
        .with_batch_exporter(exporter)
        .build())
}

/// Sets up one set of instruments for the Prometheus endpoint and for the export over OTLP.
fn metrics(endpoint: Option<&str>, resource: Resource) -> Result<SdkMeterProvider, Failure> {
    let prometheus = opentelemetry_prometheus::exporter()
        .with_registry(prometheus::default_registry().clone())
        .build()?;
    let mut provider = SdkMeterProvider::builder()
        .with_resource(resource)
        .with_reader(prometheus);
    if let Some(endpoint) = endpoint {
        let exporter = MetricExporter::builder()
            .with_http()
            .with_endpoint(format!("{endpoint}/v1/metrics"))
            .build()?;
        provider = provider.with_periodic_exporter(exporter);
    }
    let provider = provider.build();
    global::set_meter_provider(provider.clone());
    Ok(provider)
}

impl Telemetry {
    /// Exports the remaining data. The time is limited, so that a collector that does not answer
    /// does not delay a restart.
    pub fn stop(self) {
        const MAX_FLUSH_TIME: Duration = Duration::from_secs(1);
        type Shutdown = Box<dyn FnOnce() -> OTelSdkResult + Send>;
        let Self {
            traces,
            metrics,
            logs,
        } = self;
        let shutdowns: [Option<Shutdown>; 3] = [
            traces.map(|provider| Box::new(move || provider.shutdown()) as Shutdown),
            metrics.map(|provider| Box::new(move || provider.shutdown()) as Shutdown),
            logs.map(|provider| Box::new(move || provider.shutdown()) as Shutdown),
        ];
        // Do not use `shutdown_with_timeout`: the provider of metrics ignores the limit and waits
        // five seconds. These threads end with the process.
        let (sender, results) = mpsc::channel();
        let mut running = 0;
        for shutdown in shutdowns.into_iter().flatten() {
            let sender = sender.clone();
            running += 1;
            thread::spawn(move || sender.send(shutdown()));
        }
        for _ in 0..running {
            match results.recv_timeout(MAX_FLUSH_TIME) {
                Ok(Ok(())) => {}
                Ok(Err(failure)) => eprintln!("Failed to flush telemetry: {failure}"),
                Err(_) => return eprintln!("Failed to flush telemetry: the collector is too slow"),
            }
        }
    }
}
