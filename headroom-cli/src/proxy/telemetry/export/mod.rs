//! Exports traces and metrics over OTLP, as protobuf over HTTP.

mod bridge;
mod client;
mod genai;
mod settings;
mod span;

use std::{sync::Arc, time::Duration};

use http::Request;
use metrics::Recorder;
use metrics_util::layers::FanoutBuilder;
use opentelemetry::{KeyValue, metrics::MeterProvider, trace::TracerProvider};
use opentelemetry_otlp::{
    ExporterBuildError, MetricExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::{
    Resource,
    metrics::SdkMeterProvider,
    trace::{SdkTracer, SdkTracerProvider},
};

pub(crate) use self::span::ServerSpan;
use self::{bridge::OtelRecorder, client::CollectorClient, genai::GenAiMetrics, settings::ExportSettings};
use crate::{
    config::Base,
    proxy::{Provider, upstream::connect::Connector},
};

const SCOPE: &str = "headroom";
/// How long the exit waits for a collector.
const SHUTDOWN: Duration = Duration::from_secs(3);

/// What is exported; nothing by default.
#[derive(Clone, Debug, Default)]
pub(crate) struct Telemetry {
    traces: Option<Traces>,
    metrics: Option<SdkMeterProvider>,
}

#[derive(Clone, Debug)]
struct Traces {
    provider: SdkTracerProvider,
    tracer: Arc<SdkTracer>,
    usage: Option<Arc<GenAiMetrics>>,
}

impl Telemetry {
    /// Starts to export to the collector that the configuration or the standard variables name, if one does.
    ///
    /// What cannot be set up is said, and not exported.
    pub(crate) fn start(endpoint: Option<&Base>, connector: &Connector) -> Self {
        let settings = ExportSettings::from_environment(endpoint);
        if !settings.has_traces && !settings.has_metrics {
            return Self::default();
        }
        let client = CollectorClient::new(connector.clone(), settings.timeout);
        let built = Self::build(&settings, &client);
        built.unwrap_or_else(|error| {
            tracing::warn!("nothing is exported to OpenTelemetry: {error}");
            Self::default()
        })
    }

    fn build(settings: &ExportSettings, client: &CollectorClient) -> Result<Self, ExporterBuildError> {
        let mut resource =
            Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        if !settings.is_named {
            resource = resource.with_service_name("headroom");
        }
        let resource = resource.build();
        let mut metrics = None;
        if settings.has_metrics {
            let mut exporter = MetricExporter::builder()
                .with_http()
                .with_protocol(Protocol::HttpBinary)
                .with_http_client(client.clone());
            if let Some(base) = &settings.endpoint {
                exporter = exporter.with_endpoint(format!("{base}/v1/metrics"));
            }
            let provider = SdkMeterProvider::builder().with_resource(resource.clone());
            metrics = Some(provider.with_periodic_exporter(exporter.build()?).build());
        }
        let mut traces = None;
        if settings.has_traces {
            let mut exporter = SpanExporter::builder()
                .with_http()
                .with_protocol(Protocol::HttpBinary)
                .with_http_client(client.clone());
            if let Some(base) = &settings.endpoint {
                exporter = exporter.with_endpoint(format!("{base}/v1/traces"));
            }
            let provider = SdkTracerProvider::builder().with_resource(resource);
            let provider = provider.with_batch_exporter(exporter.build()?).build();
            let usage = metrics.as_ref().map(|metrics| Arc::new(GenAiMetrics::new(&metrics.meter(SCOPE))));
            traces = Some(Traces { tracer: Arc::new(provider.tracer(SCOPE)), provider, usage });
        }
        Ok(Self { traces, metrics })
    }

    /// Makes this the recorder of all metrics, beside the exported ones.
    pub(crate) fn install(&self, recorder: impl Recorder + Sync + 'static) {
        // Fails only if the process has one already; then nothing new is shown.
        let _ = match &self.metrics {
            Some(metrics) => {
                let exported = OtelRecorder::new(metrics.meter(SCOPE));
                let both = FanoutBuilder::default().add_recorder(recorder).add_recorder(exported).build();
                metrics::set_global_recorder(both).map_err(|_| ())
            }
            None => metrics::set_global_recorder(recorder).map_err(|_| ()),
        };
    }

    /// Begins the span of a client's request, below the one that its `traceparent` names.
    pub(crate) fn serve<B>(&self, request: &Request<B>, provider: Provider) -> ServerSpan {
        match &self.traces {
            Some(traces) => ServerSpan::start(&traces.tracer, traces.usage.clone(), request, provider),
            None => ServerSpan::default(),
        }
    }

    /// Exports what is left, and waits for that no longer than a few seconds.
    pub(crate) async fn shutdown(self) {
        let (traces, metrics) = (self.traces, self.metrics);
        let spans = tokio::task::spawn_blocking(move || {
            traces.map(|traces| traces.provider.shutdown_with_timeout(SHUTDOWN))
        });
        let counts = tokio::task::spawn_blocking(move || {
            metrics.map(|metrics| metrics.shutdown_with_timeout(SHUTDOWN))
        });
        // The client has said what failed.
        let _ = tokio::time::timeout(SHUTDOWN, async { (spans.await.is_ok(), counts.await.is_ok()) }).await;
    }
}
