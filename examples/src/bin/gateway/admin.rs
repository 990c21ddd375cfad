//! What operators ask, at an address that clients need not reach.

use axum::{Router, routing::get};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tower_http::metrics::in_flight_requests::InFlightRequestsCounter;

/// Starts to collect metrics: those of Headroom, and the gateway's own.
pub(crate) fn collect() -> Result<PrometheusHandle, BuildError> {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    // Fails only if there is one already.
    let _ = metrics::set_global_recorder(recorder);
    Ok(handle)
}

pub(crate) fn routes(metrics: PrometheusHandle, in_flight: InFlightRequestsCounter) -> Router {
    let show = async move || {
        metrics::gauge!("gateway_requests_in_flight").set(in_flight.get() as f64);
        metrics.run_upkeep();
        metrics.render()
    };
    Router::new().route("/livez", get(async || "ok")).route("/metrics", get(show))
}
