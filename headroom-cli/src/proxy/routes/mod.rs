//! The proxy's own routes, which go to no provider.

mod dashboard;

use std::sync::Arc;

use axum::Router;
use bytes::Bytes;
use headroom_axum::Routes;
use headroom_store::PlaintextStore;
use headroom_tower::HeadroomLayer;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::BodyExt;
use metrics_exporter_prometheus::PrometheusHandle;
use tower::{BoxError, ServiceExt};

use self::dashboard::Asset;
pub(super) use self::dashboard::Dashboard;
use super::{
    Provider,
    accounting::Totals,
    answer::{self, ResponseBody},
    auth::Access,
    dashboard::Board,
    probe,
    store_health::{AnyTenantStore, OpenStore},
};
use crate::store::LOCAL_TENANT;

/// The prefix of requests for details.
const REQUEST: &str = "/dashboard/request/";

/// A route of the proxy. No provider's API has one of these paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `/livez`: the process runs.
    Live,
    /// `/readyz`: it accepts requests. Providers are not asked.
    Ready,
    /// `/metrics`, for Prometheus.
    Metrics,
    /// `/stats`: sums since the start, as JSON.
    Stats,
    /// `/v1/retrieve/HASH`: an original, or a part of it.
    Retrieve,
    /// `/v1/compress`: messages in, smaller ones out.
    Compress,
    /// `/dashboard` and the files of the page.
    Page(Asset),
    /// `/dashboard/code`: a login code for a browser.
    Code,
    /// `/dashboard/session`: a session for such a code.
    Session,
    /// `/dashboard/data`: the page's data.
    Data,
    /// `/dashboard/request/ID`, `/dashboard/request/ID/BLOCK`: the details of a request.
    Request,
}

impl Route {
    /// The route of a path, with or without a trailing slash.
    pub(super) fn from_path(path: &str) -> Option<Self> {
        Some(match path.strip_suffix('/').unwrap_or(path) {
            "/livez" => Self::Live,
            "/readyz" => Self::Ready,
            "/metrics" => Self::Metrics,
            "/stats" => Self::Stats,
            "/v1/compress" => Self::Compress,
            "/dashboard" => Self::Page(Asset::Page),
            "/dashboard/style.css" => Self::Page(Asset::Style),
            "/dashboard/script.js" => Self::Page(Asset::Script),
            "/dashboard/icon.svg" => Self::Page(Asset::Icon),
            "/dashboard/code" => Self::Code,
            "/dashboard/session" => Self::Session,
            "/dashboard/data" => Self::Data,
            path if path.starts_with(REQUEST) => Self::Request,
            path if path == "/v1/retrieve" || path.starts_with("/v1/retrieve/") => Self::Retrieve,
            _ => return None,
        })
    }

    /// The page's files contain no data, and its data needs a session of its own.
    pub(super) const fn access(self) -> Access {
        match self {
            Self::Live | Self::Ready | Self::Page(_) | Self::Session | Self::Data | Self::Request => {
                Access::Open
            }
            Self::Metrics | Self::Stats | Self::Retrieve | Self::Compress | Self::Code => Access::Guarded,
        }
    }

    const fn method(self) -> Method {
        match self {
            Self::Compress | Self::Code | Self::Session => Method::POST,
            _ => Method::GET,
        }
    }
}

/// Answers requests to the proxy's own routes.
#[derive(Debug)]
pub(super) struct OwnRoutes {
    /// The routes that gateways have, too.
    gateway: Router,
    store: OpenStore,
    metrics: PrometheusHandle,
    totals: Arc<Totals>,
    dashboard: Option<Dashboard>,
}

impl OwnRoutes {
    pub(super) fn new(
        store: OpenStore,
        plaintext: Option<PlaintextStore>,
        layer: &HeadroomLayer,
        metrics: PrometheusHandle,
        totals: Arc<Totals>,
    ) -> Self {
        // All content in the folders is the user's own, whatever credential it was stored for.
        let everybody = AnyTenantStore { store: store.clone(), plaintext };
        let routes = Routes::new(layer).store(everybody).tenant_from(|_| LOCAL_TENANT.to_owned());
        Self { gateway: routes.into_router_unauthenticated(), store, metrics, totals, dashboard: None }
    }

    pub(super) fn with_dashboard(self, dashboard: Dashboard) -> Self {
        Self { dashboard: Some(dashboard), ..self }
    }

    /// The dashboard, if there is one.
    pub(super) fn board(&self) -> Option<&Arc<Board>> {
        self.dashboard.as_ref().map(Dashboard::board)
    }

    async fn gateway<B>(&self, request: Request<B>) -> Response<ResponseBody>
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let Ok(response) = self.gateway.clone().oneshot(request).await;
        response.map(|body| body.map_err(Into::into).boxed_unsync())
    }

    pub(super) async fn answer<B>(&self, route: Route, request: Request<B>) -> Response<ResponseBody>
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let is_head = request.method() == Method::HEAD && route.method() == Method::GET;
        if request.method() != route.method() && !is_head {
            return wrong_method(&route.method());
        }
        match route {
            Route::Live => answer::json(probe::identity()),
            // A proxy without its store still serves, and a fleet that is taken out of service with the store does not.
            Route::Ready if self.store.is_down() => {
                answer::text("ok, but the store is down: nothing new is elided\n")
            }
            Route::Ready => answer::text("ok\n"),
            // The version of the format, which Prometheus expects.
            Route::Metrics => {
                let kind = "text/plain; version=0.0.4; charset=utf-8";
                answer::whole(StatusCode::OK, kind, self.metrics.render())
            }
            Route::Stats => answer::json(self.totals.to_json()),
            Route::Retrieve | Route::Compress => self.gateway(request).await,
            Route::Page(_) | Route::Code | Route::Session | Route::Data | Route::Request => {
                match &self.dashboard {
                    Some(dashboard) => answer_page(dashboard, route, request).await,
                    None => failure(StatusCode::NOT_FOUND, "headroom: this proxy has no dashboard"),
                }
            }
        }
    }
}

async fn answer_page<B>(dashboard: &Dashboard, route: Route, request: Request<B>) -> Response<ResponseBody>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    match route {
        Route::Page(asset) => asset.answer(),
        Route::Code => dashboard.code(),
        Route::Session => dashboard.session(request).await,
        Route::Request => {
            let path = request.uri().path().strip_prefix(REQUEST).unwrap_or_default();
            dashboard.request(request.headers(), path).await
        }
        _ => dashboard.data(request.headers()).await,
    }
}

fn wrong_method(allowed: &Method) -> Response<ResponseBody> {
    let message = format!("headroom: this route accepts {allowed} only");
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
