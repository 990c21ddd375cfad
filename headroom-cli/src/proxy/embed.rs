//! The proxy inside the process of another command. It ends with it.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use headroom_tower::{HeadroomLayer, RequestReport};
use http::{Request, Response, StatusCode};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use tower::{Service, ServiceBuilder};

use super::{ProxyError, edge::Edge, listen, serve, shutdown::Signals, storing, tls, upstream::Upstream};
use crate::{
    config::{Config, Upstreams},
    layer,
};

/// What became of one request of a client.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    pub(crate) path: &'a str,
    pub(crate) status: StatusCode,
    pub(crate) report: Option<&'a RequestReport>,
}

type Watch = Arc<dyn Fn(&Exchange<'_>) + Send + Sync>;

/// Serves on free loopback ports, one for each set of upstreams, over one store.
pub(crate) struct Embedded {
    layer: HeadroomLayer,
    connector: HttpsConnector<HttpConnector>,
    watch: Watch,
}

impl Embedded {
    /// Nothing listens yet. `watch` is called whenever the head of an answer goes to the client.
    pub(crate) fn new(
        config: &Config,
        watch: impl Fn(&Exchange<'_>) + Send + Sync + 'static,
    ) -> Result<Self, ProxyError> {
        let layer = layer(config.tier, config.store.open()).observer(storing::Warner);
        Ok(Self { layer, connector: tls::connector()?, watch: Arc::new(watch) })
    }

    /// Starts to serve in front of these upstreams, for as long as the runtime lives.
    pub(crate) async fn listen(&self, upstreams: Upstreams) -> Result<SocketAddr, ProxyError> {
        let (listener, address) = listen((Ipv4Addr::LOCALHOST, 0).into()).await?;
        let upstream = Upstream::new(self.connector.clone(), upstreams);
        let service = ServiceBuilder::new().layer(self.layer.clone()).service(upstream);
        let edge = Edge::new(Watched { service, watch: Arc::clone(&self.watch) });
        tokio::spawn(async move { serve(listener, edge, Duration::ZERO, &mut Signals::never()).await });
        Ok(address)
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded").finish_non_exhaustive()
    }
}

/// Tells what every answer was.
#[derive(Clone)]
struct Watched<S> {
    service: S,
    watch: Watch,
}

impl<S, I, B> Service<Request<I>> for Watched<S>
where
    S: Service<Request<I>, Response = Response<B>, Future: Send + 'static>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request<I>) -> Self::Future {
        let path = request.uri().path().to_owned();
        let watch = Arc::clone(&self.watch);
        let answer = self.service.call(request);
        Box::pin(async move {
            let answer = answer.await;
            let (status, report) = match &answer {
                Ok(response) => (response.status(), response.extensions().get::<RequestReport>()),
                // What the edge makes of it.
                Err(_) => (StatusCode::BAD_GATEWAY, None),
            };
            watch(&Exchange { path: &path, status, report });
            answer
        })
    }
}
