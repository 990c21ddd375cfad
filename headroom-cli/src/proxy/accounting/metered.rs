//! The metrics of `/metrics`.

use std::time::Duration;

use crate::proxy::telemetry::Telemetry;
use headroom_tower::MetricsObserver;
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// The time until the provider's first byte, by provider and class of status.
pub(crate) const FIRST_BYTE: &str = "headroom_response_seconds";

/// Whether the store that several proxies share works: 1 or 0. Other stores have none.
pub(crate) const STORE_UP: &str = "headroom_store_up";

/// Models think for minutes.
const FIRST_BYTE_BUCKETS: [f64; 12] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];
/// From a short request to 32 MiB of new logs.
const COMPRESS_BUCKETS: [f64; 12] =
    [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5];
/// How often samples are moved to their buckets if nobody reads the metrics.
const UPKEEP: Duration = Duration::from_secs(60);

/// The buckets of a histogram.
#[cfg(feature = "otel")]
pub(crate) fn buckets(name: &str) -> &'static [f64] {
    if name == FIRST_BYTE { &FIRST_BYTE_BUCKETS } else { &COMPRESS_BUCKETS }
}

/// Starts to collect. If the process has a recorder already, nothing new is shown.
pub(crate) fn collect(telemetry: &Telemetry) -> Result<(PrometheusHandle, MetricsObserver), BuildError> {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(FIRST_BYTE.to_owned()), &FIRST_BYTE_BUCKETS)?
        .set_buckets_for_metric(Matcher::Suffix("_duration_seconds".to_owned()), &COMPRESS_BUCKETS)?
        .build_recorder();
    let handle = recorder.handle();
    telemetry.install(recorder);
    describe_histogram!(FIRST_BYTE, Unit::Seconds, "Time until the head of the provider's response");
    describe_gauge!(STORE_UP, "Whether the shared store works");
    describe_counter!("headroom_usage_tokens_total", "Tokens that providers counted");
    describe_counter!("headroom_uncached_tokens_total", "Tokens not read from the cache, by cause");
    Ok((handle, MetricsObserver::new()))
}

/// Keeps samples from accumulating.
pub(crate) async fn keep_up(handle: PrometheusHandle) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        handle.run_upkeep();
    }
}
