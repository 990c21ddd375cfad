//! Connects to upstreams, directly or through the proxy that the environment names.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{
    client::{
        legacy::connect::{HttpConnector, proxy::Tunnel},
        proxy::matcher::Matcher,
    },
    rt::TokioIo,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::net::TcpStream;
use tower::{BoxError, Service};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Detects connections that died while the machine slept.
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);

/// Connects over plain TCP or TLS, as the upstream's URL says, with HTTP/2 if the server offers it.
///
/// Upstreams with TLS are reached through a tunnel if `HTTPS_PROXY` or `ALL_PROXY` names a proxy and `NO_PROXY` does
/// not exempt them. Plain ones are servers of this machine or its network, and are always reached directly.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    direct: HttpsConnector<HttpConnector>,
    tcp: HttpConnector,
    tls: ClientConfig,
    proxies: Arc<Matcher>,
}

impl Connector {
    /// Uses the proxies of the environment.
    pub(crate) fn new() -> Result<Self, rustls::Error> {
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots())
            .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.set_keepalive(Some(TCP_KEEPALIVE));
        let direct = with_tls(tls.clone(), tcp.clone());
        Ok(Self { direct, tcp, tls, proxies: Arc::new(Matcher::from_env()) })
    }
}

fn with_tls<C>(tls: ClientConfig, inner: C) -> HttpsConnector<C> {
    HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_all_versions()
        .wrap_connector(inner)
}

/// The environment names a proxy of an unsupported kind.
#[derive(Debug, thiserror::Error)]
#[error("the proxy {0} is not of the form http://HOST:PORT, the only one that is supported")]
struct UnsupportedProxy(Uri);

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.direct.poll_ready(cx)
    }

    fn call(&mut self, upstream: Uri) -> Self::Future {
        let is_secure = upstream.scheme_str() == Some("https");
        let Some(proxy) = self.proxies.intercept(&upstream).filter(|_| is_secure) else {
            return Box::pin(self.direct.call(upstream));
        };
        // Credentials in the proxy's URL appear in no message.
        if proxy.uri().scheme_str() != Some("http") {
            let error = UnsupportedProxy(proxy.uri().clone());
            return Box::pin(std::future::ready(Err(error.into())));
        }
        let mut tunnel = Tunnel::new(proxy.uri().clone(), self.tcp.clone());
        if let Some(credentials) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(credentials.clone());
        }
        Box::pin(with_tls(self.tls.clone(), tunnel).call(upstream))
    }
}

/// The system's root certificates; if it has none, those that browsers trust.
fn roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}
