//! Runs the proxy inside the process of another command, until that ends.

use std::{
    fmt, future,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use headroom_tower::{HeadroomLayer, HeadroomOverride, RequestReport};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use metrics_exporter_prometheus::PrometheusBuilder;
use tower::{Service, ServiceBuilder};

use super::{
    ProxyError,
    accounting::Totals,
    auth::Auth,
    aws::Signer,
    listen,
    reload::{LiveUpstreams, Reloadable},
    routes::OwnRoutes,
    serve,
    server::{ForwardOptions, ProxyService},
    store_health::{self, OpenStore},
    telemetry::Telemetry,
    upstream::{Upstream, UpstreamError},
};
use crate::{
    config::{self, Config, Upstreams},
    ledger::{Ledger, LedgerTotals},
    proxy::{accounting::exchange::Exchange, server::signals::Signals, upstream::connect::Connector},
    setup::configured,
};

/// The outcome of one request of a client.
#[derive(Debug)]
pub(crate) struct EmbeddedExchange<'a> {
    pub(crate) path: &'a str,
    pub(crate) status: StatusCode,
    pub(crate) report: Option<&'a RequestReport>,
}

type Watch = Arc<dyn Fn(&EmbeddedExchange<'_>) + Send + Sync>;

/// Serves on free loopback ports, one for each set of upstreams, with a shared store. The proxy's own routes are
/// closed.
pub(crate) struct EmbeddedProxy {
    config: Config,
    store: OpenStore,
    layer: HeadroomLayer,
    connector: Connector,
    totals: Arc<Totals>,
    watch: Watch,
    /// Whether requests are passed on as they come.
    is_bypass: bool,
}

impl EmbeddedProxy {
    /// Creates the proxy without listening. `watch` is called whenever the head of a response goes to the client.
    pub(crate) fn new(
        config: &Config,
        watch: impl Fn(&EmbeddedExchange<'_>) + Send + Sync + 'static,
    ) -> Result<Self, ProxyError> {
        let store = OpenStore::new(&config.store);
        let ledger = config::home().map(|home| Ledger::in_folder(&home));
        Ok(Self {
            layer: configured(config, store.shared())
                .shared_store(store.is_shared())
                .holdout(config.holdout.percent())
                .observer(store_health::StoreHealthWarner::new(&store)),
            config: config.clone(),
            store,
            connector: Connector::new()?,
            totals: Arc::new(Totals::new(ledger)),
            watch: Arc::new(watch),
            is_bypass: false,
        })
    }

    /// Passes on every request as it comes, as with `x-headroom-bypass: true`. The ledger counts as it does otherwise.
    #[cfg(feature = "evals")]
    pub(crate) fn untouched(self) -> Self {
        Self { is_bypass: true, ..self }
    }

    /// Starts to listen in front of these upstreams, until the runtime ends.
    pub(crate) async fn listen(&self, upstreams: Upstreams) -> Result<SocketAddr, ProxyError> {
        let (listener, address) = listen((Ipv4Addr::LOCALHOST, 0).into()).await?;
        let upstreams = LiveUpstreams::new(upstreams);
        let signer = self.config.bedrock_sign.then(Signer::default);
        let signs = signer.is_some();
        let limits = self.config.limits;
        let upstream = Upstream::new(self.connector.clone(), upstreams.clone(), signer, limits.answer);
        let service = ServiceBuilder::new().layer(self.layer.clone()).service(upstream);
        // Nobody reads these metrics: without a token the proxy's own routes are closed.
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let totals = Arc::clone(&self.totals);
        let own = OwnRoutes::new(self.store.clone(), None, &self.layer, metrics, Arc::clone(&totals));
        let auth = Auth::new(None, false).allow_origins(self.config.allow_origins.clone());
        let watched = WatchedService { service, watch: Arc::clone(&self.watch), is_bypass: self.is_bypass };
        let options = ForwardOptions {
            retrieval: self.config.retrieval,
            signs,
            patience: limits.body,
            telemetry: Telemetry::default(),
            log_format: self.config.log_format,
        };
        let service = ProxyService::new(watched, auth, own, totals, options);
        let config = self.config.clone();
        let read = {
            let config = config.clone();
            Box::new(move || Ok(config.clone()))
        };
        let mut live = Reloadable {
            config,
            certificate: None,
            upstreams: Some(upstreams),
            read,
            set_log: Box::new(|_| {}),
        };
        let handle =
            move |peer: SocketAddr, request: Request<Incoming>| service.clone().handle(peer, request);
        tokio::spawn(async move {
            let served = serve(listener, handle, &mut live, &mut Signals::never(), future::ready(())).await;
            if let Err(error) = served {
                tracing::error!("{error}");
            }
        });
        Ok(address)
    }

    /// Waits until all turns are in the ledger.
    pub(crate) fn flush(&self) {
        self.totals.flush();
    }

    /// What the turns so far cost and saved.
    pub(crate) fn sums(&self) -> LedgerTotals {
        self.totals.sums()
    }
}

impl fmt::Debug for EmbeddedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedProxy").finish_non_exhaustive()
    }
}

/// Reports the status of every response.
#[derive(Clone)]
struct WatchedService<S> {
    service: S,
    watch: Watch,
    is_bypass: bool,
}

impl<S, I, B> Service<Request<I>> for WatchedService<S>
where
    S: Service<Request<I>, Response = Response<B>, Error = UpstreamError, Future: Send + 'static>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<I>) -> Self::Future {
        if self.is_bypass {
            request.extensions_mut().insert(HeadroomOverride::disabled());
        }
        let path = request.uri().path().to_owned();
        let turn = request.extensions().get::<Exchange>().cloned();
        let watch = Arc::clone(&self.watch);
        let answer = self.service.call(request);
        Box::pin(async move {
            let answer = answer.await;
            // The status into which `server` turns an error.
            let status = answer.as_ref().map_or_else(UpstreamError::status, Response::status);
            let report = turn.filter(|_| answer.is_ok()).and_then(|turn| turn.report());
            watch(&EmbeddedExchange { path: &path, status, report: report.as_ref() });
            answer
        })
    }
}
