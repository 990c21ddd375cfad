//! A build without the feature `otel`: nothing is traced, and headers of traces pass unchanged.

use headroom_tower::RequestReport;
use http::{HeaderMap, Request, StatusCode, request::Parts};
use metrics::Recorder;

use crate::{
    config::Base,
    proxy::{Provider, upstream::connect::Connector},
    usage::Usage,
};

#[derive(Clone, Debug, Default)]
pub(crate) struct Telemetry;

impl Telemetry {
    pub(crate) fn start(endpoint: Option<&Base>, _: &Connector) -> Self {
        if endpoint.is_some() {
            tracing::warn!("otlp_endpoint has no effect: this program was built without the feature otel");
        }
        Self
    }

    /// Makes this the recorder of all metrics.
    pub(crate) fn install(&self, recorder: impl Recorder + Sync + 'static) {
        // Fails only if the process has one already; then nothing new is shown.
        let _ = metrics::set_global_recorder(recorder);
    }

    pub(crate) fn serve<B>(&self, _: &Request<B>, _: Provider) -> ServerSpan {
        ServerSpan
    }

    pub(crate) async fn shutdown(self) {}
}

/// The request of a client.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServerSpan;

impl ServerSpan {
    pub(crate) fn call(&self, _: &mut Parts, _: Provider, _: &Base, _: Option<&RequestReport>) -> CallSpan {
        CallSpan
    }

    pub(crate) fn end(&self, _: Option<StatusCode>, _: Option<&'static str>) {}
}

/// A request to a provider.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallSpan;

impl CallSpan {
    pub(crate) const fn wants_model(&self) -> bool {
        false
    }

    pub(crate) fn asked(&self, _: &str) {}

    pub(crate) fn answered(&self, _: StatusCode, _: &HeaderMap) {}

    pub(crate) fn failed(&self, _: &'static str) {}

    pub(crate) fn used(&self, _: Option<Usage>, _: Option<&str>) {}
}
