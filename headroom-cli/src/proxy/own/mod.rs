//! The routes that are answered here and go to no provider.

mod compress;
mod retrieve;

use std::sync::Arc;

use bytes::Bytes;
use headroom_store::Spool;
use headroom_tower::HeadroomLayer;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Body;
use metrics_exporter_prometheus::PrometheusHandle;
use tower::BoxError;

use super::{
    Provider,
    answer::{self, ResponseBody},
    storing::OpenStore,
    totals::Totals,
};

/// A route of ours. No provider's API has one of these paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `/livez`: the process runs.
    Live,
    /// `/readyz`: it takes requests. Providers are not asked.
    Ready,
    /// `/metrics`, for Prometheus.
    Metrics,
    /// `/stats`: what was done since the start, as JSON.
    Stats,
    /// `/v1/retrieve/HASH`: what was set aside, or a part.
    Retrieve,
    /// `/v1/compress`: messages in, smaller ones out.
    Compress,
}

impl Route {
    /// The route of a path, with or without a slash at its end.
    pub(super) fn of(path: &str) -> Option<Self> {
        Some(match path.strip_suffix('/').unwrap_or(path) {
            "/livez" => Self::Live,
            "/readyz" => Self::Ready,
            "/metrics" => Self::Metrics,
            "/stats" => Self::Stats,
            "/v1/compress" => Self::Compress,
            path if path == retrieve::PATH || path.starts_with("/v1/retrieve/") => Self::Retrieve,
            _ => return None,
        })
    }

    /// Whether it tells nothing that needs the token.
    pub(super) const fn is_open(self) -> bool {
        matches!(self, Self::Live | Self::Ready)
    }

    const fn method(self) -> Method {
        match self {
            Self::Compress => Method::POST,
            _ => Method::GET,
        }
    }
}

/// Answers our own routes.
#[derive(Debug)]
pub(super) struct Own {
    store: OpenStore,
    spool: Option<Spool>,
    layer: HeadroomLayer,
    metrics: PrometheusHandle,
    totals: Arc<Totals>,
}

impl Own {
    pub(super) fn new(
        store: OpenStore,
        spool: Option<Spool>,
        layer: HeadroomLayer,
        metrics: PrometheusHandle,
        totals: Arc<Totals>,
    ) -> Self {
        Self { store, spool, layer, metrics, totals }
    }

    pub(super) async fn answer<B>(&self, route: Route, request: Request<B>) -> Response<ResponseBody>
    where
        B: Body<Data = Bytes, Error: Into<BoxError>>,
    {
        let is_head = request.method() == Method::HEAD && route.method() == Method::GET;
        if request.method() != route.method() && !is_head {
            return wrong_method(&route.method());
        }
        match route {
            Route::Live | Route::Ready => answer::text("ok\n"),
            // The format's own version, as Prometheus asks for it.
            Route::Metrics => {
                let kind = "text/plain; version=0.0.4; charset=utf-8";
                answer::whole(StatusCode::OK, kind, self.metrics.render())
            }
            Route::Stats => answer::json(self.totals.to_json()),
            Route::Retrieve => retrieve::answer(&self.store, self.spool.as_ref(), request.uri()).await,
            Route::Compress => compress::answer(&self.layer, request).await,
        }
    }
}

fn wrong_method(allowed: &Method) -> Response<ResponseBody> {
    let message = format!("headroom: this route takes {allowed}");
    let mut response = failure(StatusCode::METHOD_NOT_ALLOWED, &message);
    if let Ok(value) = HeaderValue::from_str(allowed.as_str()) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

/// An error of a route that belongs to no provider, in the shape that most clients know.
fn failure(status: StatusCode, message: &str) -> Response<ResponseBody> {
    answer::failure(Provider::OpenAi, status, message)
}
