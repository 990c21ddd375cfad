//! `headroom extproc`: Envoy's external processing over the proxy's layer, on the proxy's server.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use headroom_envoy::{ExternalProcessor, Health, ProcessedRequest};
use headroom_tower::SkipReason;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tower::ServiceExt;

use super::{
    Auth, Provider, ProxyError, Signals,
    accounting::{Totals, metered},
    answer::{self, ResponseBody},
    auth, core_dumps,
    effect::Effect,
    listen,
    log::log_to_stderr,
    raise_file_limit,
    reload::Reloadable,
    routes::{OwnRoutes, Route},
    serve,
    store_health::{self, OpenStore, StoreHealthWarner},
    telemetry::Telemetry,
    tls::Certificate,
};
use crate::{
    config::{self, Config, ConfigError, OriginalsDir},
    output,
    secret::Secret,
    setup::configured,
};

const HEALTH: &str = "/grpc.health.v1.Health/";
const PROCESSOR: &str = "/envoy.service.ext_proc.v3.ExternalProcessor/";

/// Serves Envoy until a signal ends it. `is_open` lets in callers without the token; `read` loads the configuration again
/// when a signal asks for that.
pub(crate) async fn serve_envoy(
    config: Config,
    is_open: bool,
    read: impl Fn() -> Result<Config, ConfigError> + Send + 'static,
) -> Result<(), ProxyError> {
    core_dumps::forbid();
    let set_log = log_to_stderr(config.log, config.log_format);
    raise_file_limit();
    let mut signals = Signals::new().map_err(ProxyError::Signals)?;
    let auth = access(&config, is_open)?;
    let certificate = config.tls.clone().map(Certificate::read).transpose()?;
    let (listener, address) = listen(config.listen.address()).await?;
    announce(&config, address);
    let (metrics, observer) = metered::collect(&Telemetry::default())?;
    let store = OpenStore::open(&config.store).await;
    store_health::check_originals_dir(&config).await;
    let layer = configured(&config, store.shared())
        .shared_store(store.is_shared())
        .observer((StoreHealthWarner::new(&store), observer));
    tokio::spawn(metered::keep_up(metrics.clone()));
    let health = Health::new().await;
    let processor =
        ExternalProcessor::new(layer.request_only()).max_arriving(config.limits.buffered / 2).on_request(log);
    let originals_dir = config.originals_dir.as_ref().map(OriginalsDir::open);
    let own = OwnRoutes::new(store, originals_dir, &layer, metrics, Arc::new(Totals::new(None)));
    let needs_token = !is_open && !config.listen.address().ip().is_loopback();
    let service = EnvoyService {
        processor,
        health: health.clone(),
        shared: Arc::new(Shared { auth, needs_token, own }),
    };
    let mut live = Reloadable { config, certificate, upstreams: None, read: Box::new(read), set_log };
    let handle = move |_: SocketAddr, request| service.clone().answer(request);
    serve(listener, handle, &mut live, &mut signals, health.stop()).await
}

/// Creates the access check: of calls, unless the service is open, and of routes that show content.
fn access(config: &Config, is_open: bool) -> Result<Auth, ProxyError> {
    let home = config::home();
    if !is_open {
        return auth(config, home.as_deref());
    }
    let file = config.token_file.as_ref().map(config::FilePath::path);
    let secret = Secret::configured(file, home.as_deref()).unwrap_or_else(|error| {
        tracing::warn!("routes that need the token are closed: {error}");
        None
    });
    Ok(Auth::new(secret, !config.listen.address().ip().is_loopback()))
}

/// Says what is active, as the proxy does, and which settings have no effect.
fn announce(config: &Config, address: SocketAddr) {
    output::note(&format_args!(
        "headroom {} listens on http://{address} for Envoy's external processing (tier {}, retrieval {}, store {})",
        env!("CARGO_PKG_VERSION"),
        config.tier,
        config.describe_retrieval(),
        config.store,
    ));
    for (name, is_set) in
        [("holdout", config.holdout.percent() > 0), ("drop_tools", config.drop_tools.iter().next().is_some())]
    {
        if is_set {
            output::note(&format_args!("headroom: {name} has no effect here; `headroom proxy` has it"));
        }
    }
}

/// Writes the log line of a request. Counts, never content.
fn log(request: &ProcessedRequest<'_>) {
    let outcome = request.report.skip_reason().map_or("rewritten", SkipReason::as_str);
    tracing::info!(
        "{} {} in {} ms{}",
        request.method,
        request.path,
        request.elapsed.as_millis(),
        Effect { outcome, report: request.report }
    );
}

/// Answers calls and the requests beside them; cloned for every connection.
#[derive(Clone, Debug)]
struct EnvoyService {
    processor: ExternalProcessor,
    health: Health,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    auth: Auth,
    /// Whether calls need the token, as other machines can make them.
    needs_token: bool,
    own: OwnRoutes,
}

impl EnvoyService {
    async fn answer(self, request: Request<Incoming>) -> Result<Response<ResponseBody>, Infallible> {
        let path = request.uri().path();
        if path.starts_with(HEALTH) {
            return self.health.oneshot(request).await.map(boxed);
        }
        if path.starts_with(PROCESSOR) {
            return match self.may_call(request.headers()) {
                true => self.processor.oneshot(request).await.map(boxed),
                false => Ok(boxed(ExternalProcessor::unauthenticated(
                    "headroom: this needs the token as x-headroom-token (initial_metadata of the filter's grpc_service)",
                ))),
            };
        }
        Ok(self.own(request).await)
    }

    fn may_call(&self, headers: &HeaderMap) -> bool {
        let may = !self.shared.needs_token || self.shared.auth.has_token(headers);
        if !may {
            tracing::warn!("a call was refused: it had no token, or a wrong one");
        }
        may
    }

    /// Answers those of the proxy's routes that make sense here.
    async fn own(self, request: Request<Incoming>) -> Response<ResponseBody> {
        let route = Route::from_path(request.uri().path());
        let route = route
            .filter(|route| matches!(route, Route::Live | Route::Ready | Route::Metrics | Route::Retrieve));
        let Some(route) = route else {
            let message = "headroom: no such route; this service is for Envoy's external processing";
            return answer::failure(Provider::OpenAi, StatusCode::NOT_FOUND, message);
        };
        match self.shared.auth.refusal(&request, route.access()) {
            Some(refusal) => refusal.response(Provider::OpenAi),
            None => self.shared.own.answer(route, request).await,
        }
    }
}

/// Gives a response the body type of the proxy's server.
fn boxed<B>(response: Response<B>) -> Response<ResponseBody>
where
    B: http_body::Body<Data = bytes::Bytes, Error: Into<tower::BoxError>> + Send + 'static,
{
    response.map(|body| body.map_err(Into::into).boxed_unsync())
}
