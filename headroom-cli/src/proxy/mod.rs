//! `headroom proxy`: a transparent reverse proxy that contains the layer.

mod acceptor;
mod accounting;
mod answer;
mod auth;
mod aws;
mod connections;
mod dashboard;
mod effect;
mod embed;
#[cfg(feature = "envoy")]
mod envoy;
mod idle;
mod log;
mod probe;
mod reload;
mod routes;
mod server;
mod shared_store;
mod store_health;
mod telemetry;
mod tls;
mod upstream;
mod version;

use std::{
    convert::Infallible,
    future, io,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::{Request, Response};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::net::TcpListener;
use tokio_io_timeout::TimeoutWriter;
use tokio_rustls::TlsAcceptor;
use tower::ServiceBuilder;

#[cfg(feature = "envoy")]
pub(crate) use self::envoy::serve_envoy;
use self::{
    acceptor::{Acceptor, Arrival},
    accounting::Totals,
    aws::Signer,
    dashboard::Board,
    reload::{LiveUpstreams, Reloadable},
    routes::{Dashboard, OwnRoutes},
    server::{ForwardOptions, ProxyService},
    store_health::OpenStore,
    telemetry::Telemetry,
    tls::Certificate,
    upstream::Upstream,
};
pub(crate) use self::{
    answer::{ResponseBody, failure},
    auth::{Access, Auth},
    embed::{EmbeddedExchange, EmbeddedProxy},
    probe::{Listener, code, probe},
    store_health::AnyTenantStore,
    tls::InvalidCertificate,
};
pub(crate) use crate::{
    config::provider::Provider,
    proxy::{server::signals::Signals, upstream::connect::Connector},
};
use crate::{
    config::{self, Config, ConfigError, FilePath, LogFormat, OriginalsDir},
    core_dumps,
    ledger::Ledger,
    output,
    proxy::server::signals::ShutdownRequest,
    secret::{Secret, SecretError},
    setup::configured,
};

/// The open files that macOS allows a process at most.
#[cfg(unix)]
const MAC_OPEN_FILES: u64 = 10_240;

/// The same limit as for HTTP/1.1.
const MAX_HTTP2_HEAD: u32 = 400 << 10;
/// Detects HTTP/2 connections whose peer is gone, or that died while the machine slept.
const HTTP2_KEEPALIVE: Duration = Duration::from_secs(20);

/// Errors of `headroom proxy`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProxyError {
    #[error(
        "{address} is in use, perhaps by another `headroom proxy`; stop that one or choose another port with --listen"
    )]
    InUse { address: SocketAddr },
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("cannot set up TLS")]
    Tls(#[from] rustls::Error),
    #[error("cannot serve TLS")]
    Certificate(#[from] InvalidCertificate),
    #[error("cannot handle signals")]
    Signals(#[source] io::Error),
    #[error("cannot start the thread that accepts connections")]
    Thread(#[source] io::Error),
    #[error("cannot set up metrics")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
    #[error(
        "{address} can be reached from other machines, and there is no token to authenticate clients: {}", no_token(.source)
    )]
    NoToken { address: SocketAddr, source: Option<SecretError> },
}

impl ProxyError {
    /// Whether the command was called wrongly: exit status 2.
    pub(crate) const fn is_usage(&self) -> bool {
        matches!(self, Self::NoToken { .. })
    }
}

/// Serves until a signal ends it. `read` loads the configuration again when a signal asks for that.
pub(crate) async fn run(
    config: Config,
    read: impl Fn() -> Result<Config, ConfigError> + Send + 'static,
) -> Result<(), ProxyError> {
    core_dumps::forbid();
    let set_log = log::log_to_stderr(config.log, config.log_format);
    raise_file_limit();
    let mut signals = Signals::new().map_err(ProxyError::Signals)?;
    let upstreams = LiveUpstreams::new(config.upstreams.clone());
    let signer = config.bedrock_sign.then(Signer::default);
    let connector = Connector::new()?;
    let telemetry = Telemetry::start(config.otlp_endpoint.as_ref(), &connector);
    let upstream = Upstream::new(connector, upstreams.clone(), signer.clone(), config.limits.answer);
    let home = config::home();
    let auth = auth(&config, home.as_deref())?;
    let certificate = config.tls.clone().map(Certificate::read).transpose()?;
    let (listener, address) = listen(config.listen.address()).await?;
    announce(&config, address);
    let (metrics, observer) = crate::proxy::accounting::metered::collect(&telemetry)?;
    if let Some(signer) = &signer {
        signer.check().await;
    }
    let store = OpenStore::open(&config.store).await;
    store_health::check_originals_dir(&config).await;
    let layer = configured(&config, store.shared())
        .shared_store(store.is_shared())
        .holdout(config.holdout.percent())
        .observer((store_health::StoreHealthWarner::new(&store), observer));
    let totals = Arc::new(Totals::new(home.as_deref().map(Ledger::in_folder)));
    tokio::spawn(crate::proxy::accounting::metered::keep_up(metrics.clone()));
    let originals_dir = config.originals_dir.as_ref().map(OriginalsDir::open);
    let board = Dashboard::new(Board::new(config.dashboard_content), home.as_deref(), config.tier);
    // Messages that a client compresses here and sends itself.
    let filter = layer.clone().epochs(config.for_filter().epochs().is_on());
    let own =
        OwnRoutes::new(store, originals_dir, &filter, metrics, Arc::clone(&totals)).with_dashboard(board);
    let service = ServiceBuilder::new().layer(layer).service(upstream);
    let options = ForwardOptions {
        retrieval: config.retrieval,
        signs: signer.is_some(),
        patience: config.limits.body,
        telemetry: telemetry.clone(),
        log_format: config.log_format,
    };
    let service = ProxyService::new(service, auth, own, Arc::clone(&totals), options);
    let mut live =
        Reloadable { config, certificate, upstreams: Some(upstreams), read: Box::new(read), set_log };
    let handle = move |peer: SocketAddr, request: Request<Incoming>| service.clone().handle(peer, request);
    serve(listener, handle, &mut live, &mut signals, future::ready(())).await?;
    totals.flush();
    telemetry.shutdown().await;
    Ok(())
}

/// Creates the access check. Without a token the proxy's own routes stay closed, but clients on this machine are
/// served.
fn auth(config: &Config, home: Option<&Path>) -> Result<Auth, ProxyError> {
    let secret = Secret::configured(config.token_file.as_ref().map(FilePath::path), home);
    let reachable = !config.listen.address().ip().is_loopback();
    if reachable && !matches!(secret, Ok(Some(_))) {
        return Err(ProxyError::NoToken { address: config.listen.address(), source: secret.err() });
    }
    let secret = secret.unwrap_or_else(|error| {
        tracing::warn!("the proxy's own routes are closed: {error}");
        None
    });
    Ok(Auth::new(secret, reachable).allow_origins(config.allow_origins.clone()))
}

fn no_token(error: &Option<SecretError>) -> String {
    match error {
        Some(error) => error.to_string(),
        None => "set HEADROOM_HOME to a folder for it, or name its file with --token-file".to_owned(),
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ProxyError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => ProxyError::InUse { address },
        _ => ProxyError::Listen { address, source },
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// Prints what is active and how to point a client at it. The user asked for it by starting the proxy, so it does not
/// depend on `--log`.
fn announce(config: &Config, address: SocketAddr) {
    let url = format!("{}://{address}", if config.tls.is_some() { "https" } else { "http" });
    if config.log_format == LogFormat::Json {
        // Every line is an object.
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            tier = %config.tier,
            store = %config.store,
            upstreams = %config.upstreams,
            "headroom listens on {url}"
        );
        return;
    }
    output::note(&format_args!(
        "headroom {} listens on {url} (tier {}, retrieval {}, store {}); upstreams: {}\n\
         point a client at it: ANTHROPIC_BASE_URL={url} OPENAI_BASE_URL={url}/v1 GOOGLE_GEMINI_BASE_URL={url}",
        env!("CARGO_PKG_VERSION"),
        config.tier,
        config.describe_retrieval(),
        config.store,
        config.upstreams,
    ));
}

/// Accepts connections and lets `handle` answer their requests, until a signal ends that. `stopping` runs then, before what is
/// open gets its time to finish.
async fn serve<H, F>(
    listener: TcpListener,
    handle: H,
    live: &mut Reloadable,
    signals: &mut Signals,
    stopping: impl Future<Output = ()>,
) -> Result<(), ProxyError>
where
    H: Fn(SocketAddr, Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Response<ResponseBody>, Infallible>> + Send + 'static,
{
    let limits = live.config.limits;
    let needs_tls = live.certificate.is_some();
    let acceptor = Acceptor::start(listener, limits, needs_tls, handle.clone());
    let mut acceptor = acceptor.map_err(ProxyError::Thread)?;
    let server = server(limits.idle);
    let graceful = GracefulShutdown::new();
    loop {
        tokio::select! {
            arrival = acceptor.next() => {
                let tls = live.certificate.as_mut().filter(|_| arrival.is_tls).map(Certificate::acceptor);
                connect(&server, &graceful, handle.clone(), (arrival, tls), limits.idle);
            }
            asked = signals.next() => match asked {
                ShutdownRequest::Stop => break,
                ShutdownRequest::Reload => live.reload(),
            },
        }
    }
    acceptor.stop().await;
    stopping.await;
    let drain = live.config.drain;
    let open = graceful.count();
    if open > 0 {
        tracing::info!("stopping; {open} connections have {} s to finish", drain.as_secs());
    }
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(drain) => tracing::warn!("stopped before every request was finished"),
        () = signals.stop() => tracing::warn!("stopped at once"),
    }
    Ok(())
}

/// Serves a connection on a task of its own until it ends.
fn connect<H, F>(
    server: &auto::Builder<TokioExecutor>,
    graceful: &GracefulShutdown,
    handle: H,
    (arrival, tls): (Arrival, Option<TlsAcceptor>),
    idle: Duration,
) where
    H: Fn(SocketAddr, Request<Incoming>) -> F + Send + 'static,
    F: Future<Output = Result<Response<ResponseBody>, Infallible>> + Send + 'static,
{
    let (server, watcher) = (server.clone(), graceful.watcher());
    tokio::spawn(async move {
        let Arrival { stream, peer, place: _place, .. } = arrival;
        let began = Arc::new(AtomicBool::new(false));
        let begins = Arc::clone(&began);
        let service = service_fn(move |request| {
            begins.store(true, Ordering::Relaxed);
            handle(peer, request)
        });
        // A client that does not read its response blocks the writer.
        let mut stream = TimeoutWriter::new(stream);
        stream.set_timeout(Some(idle));
        let stream = Box::pin(stream);
        let served = async move {
            match tls {
                None => {
                    watcher.watch(server.serve_connection(TokioIo::new(stream), service).into_owned()).await
                }
                Some(tls) => {
                    let stream = tls.accept(stream).await?;
                    watcher.watch(server.serve_connection(TokioIo::new(stream), service).into_owned()).await
                }
            }
        };
        tokio::select! {
            ended = served => {
                if let Err(error) = ended {
                    tracing::debug!("connection ended: {error}");
                }
            }
            () = nothing_came(idle, &began) => tracing::debug!("connection closed: no request came"),
        }
    });
}

fn server(idle: Duration) -> auto::Builder<TokioExecutor> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(idle);
    server
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HTTP2_KEEPALIVE)
        .adaptive_window(true)
        .max_header_list_size(MAX_HTTP2_HEAD);
    server
}

/// Ends if the connection has carried no request for this long since it was opened. The server's own timer starts with
/// the first byte.
async fn nothing_came(idle: Duration, began: &AtomicBool) {
    tokio::time::sleep(idle).await;
    if began.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}

/// Raises the limit of open files: a connection takes one, and often another upstream; the usual 1,024 is for programs
/// that use `select`.
fn raise_file_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let own = getrlimit(Resource::Nofile);
        let set = |current| setrlimit(Resource::Nofile, Rlimit { current, maximum: own.maximum });
        let is_less = own.current.is_some_and(|current| current < MAC_OPEN_FILES);
        // macOS states no maximum, and refuses more than its own.
        let raised =
            set(own.maximum).or_else(|error| if is_less { set(Some(MAC_OPEN_FILES)) } else { Err(error) });
        if let Err(error) = raised {
            tracing::debug!("cannot raise the limit of open files: {error}");
        }
    }
}
