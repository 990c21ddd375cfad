//! `headroom proxy`: a transparent reverse proxy with the layer in it.

mod accounting;
mod answer;
mod auth;
mod aws;
mod connections;
mod dashboard;
mod embed;
mod idle;
mod probe;
mod reload;
mod routes;
mod server;
mod store_health;
mod upstream;
mod version;

use std::{
    io,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutWriter;
use tower::{BoxError, Service, ServiceBuilder};
use tracing_subscriber::filter::{LevelFilter, Targets};

use self::{
    accounting::Totals,
    aws::Signer,
    connections::{Connections, Place},
    dashboard::{Board, Copied},
    idle::IdleTimeout,
    reload::{LiveUpstreams, Reloadable},
    routes::{Dashboard, OwnRoutes},
    server::ProxyService,
    store_health::OpenStore,
    upstream::{Upstream, UpstreamError},
};
pub(crate) use self::{
    answer::{ResponseBody, failure},
    auth::{Access, Auth},
    embed::{Embedded, EmbeddedExchange},
    probe::{Listener, code, probe},
    store_health::AnyTenantStore,
};
pub(crate) use crate::{
    config::provider::Provider,
    proxy::{server::signals::Signals, upstream::connect::Connector},
};
use crate::{
    config::{self, Config, ConfigError, Log, OriginalsDir},
    configured, core_dumps,
    ledger::Ledger,
    output,
    proxy::server::signals::ShutdownRequest,
    secret::{Secret, SecretError},
};

/// How long to wait where the machine is out of something (file handles, mostly) before taking the next connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// As much as HTTP/1.1 takes here.
const MAX_HTTP2_HEAD: u32 = 400 << 10;
/// Finds HTTP/2 connections whose other end is gone, or that died while the machine slept.
const HTTP2_KEEPALIVE: Duration = Duration::from_secs(20);

/// What keeps the proxy from running.
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
    #[error("cannot handle signals")]
    Signals(#[source] io::Error),
    #[error("cannot set up metrics")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
    #[error(
        "{address} can be reached from other machines, and there is no token to tell whom to let in: {}", no_token(.source)
    )]
    NoToken { address: SocketAddr, source: Option<SecretError> },
}

impl ProxyError {
    /// Whether `headroom` has to be called differently.
    pub(crate) const fn is_usage(&self) -> bool {
        matches!(self, Self::NoToken { .. })
    }
}

/// Serves until a signal ends it. `read` gives the configuration, also when a signal asks for it to be read again.
pub(crate) async fn run(
    config: Config,
    read: impl Fn() -> Result<Config, ConfigError> + Send + 'static,
) -> Result<(), ProxyError> {
    core_dumps::forbid();
    let set_log = log_to_stderr(config.log);
    raise_file_limit();
    let mut signals = Signals::new().map_err(ProxyError::Signals)?;
    let upstreams = LiveUpstreams::new(config.upstreams.clone());
    let signer = config.bedrock_sign.then(Signer::default);
    let upstream = Upstream::new(Connector::new()?, upstreams.clone(), signer.clone(), config.limits.answer);
    let home = config::home();
    let door = door(&config, home.as_deref())?;
    let (listener, address) = listen(config.listen.address()).await?;
    announce(&config, address);
    let (metrics, observer) = crate::proxy::accounting::metered::collect()?;
    if let Some(signer) = &signer {
        signer.check().await;
    }
    let store = OpenStore::open(&config.store).await;
    store_health::check_originals_dir(&config).await;
    let layer = configured(&config, store.shared()).observer((store_health::StoreHealthWarner, observer));
    let totals = Arc::new(Totals::new(home.as_deref().map(Ledger::in_folder)));
    tokio::spawn(crate::proxy::accounting::metered::keep_up(metrics.clone()));
    let originals_dir = config.originals_dir.as_ref().map(OriginalsDir::open);
    let board = Dashboard::new(Board::new(config.dashboard_content), home.as_deref(), config.tier);
    let own =
        OwnRoutes::new(store, originals_dir, &layer, metrics, Arc::clone(&totals)).with_dashboard(board);
    let service = ServiceBuilder::new().layer(layer).service(upstream);
    let signs = signer.is_some();
    let edge = ProxyService::new(
        service,
        door,
        own,
        config.retrieval,
        Arc::clone(&totals),
        signs,
        config.limits.body,
    );
    let mut live = Reloadable { config, upstreams, read: Box::new(read), set_log };
    serve(listener, edge, &mut live, &mut signals).await;
    totals.flush();
    Ok(())
}

/// Who may come in. Without a token our own routes stay closed, which is no reason not to serve this machine.
fn door(config: &Config, home: Option<&Path>) -> Result<Auth, ProxyError> {
    let secret = home.map(Secret::in_folder).transpose();
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
        None => "set HEADROOM_HOME to a folder where it can be kept".to_owned(),
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

/// Says what is active and how a client is pointed at it. The user asked for it by starting the proxy, so `--log` has
/// no say in it.
fn announce(config: &Config, address: SocketAddr) {
    output::note(&format_args!(
        "headroom {} listens on http://{address} (tier {}, retrieval {}, store {}); upstreams: {}\n\
         point a client at it: ANTHROPIC_BASE_URL=http://{address} OPENAI_BASE_URL=http://{address}/v1 \
         GOOGLE_GEMINI_BASE_URL=http://{address}",
        env!("CARGO_PKG_VERSION"),
        config.tier,
        config.describe_retrieval(),
        config.store,
        config.upstreams,
    ));
}

async fn serve<S, B>(
    listener: TcpListener,
    edge: ProxyService<S>,
    live: &mut Reloadable,
    signals: &mut Signals,
) where
    S: Service<Request<Copied<IdleTimeout<Incoming>>>, Response = Response<B>, Error = UpstreamError>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let limits = live.config.limits;
    let server = server(limits.idle);
    let connections = Connections::new(limits.connections, limits.connections_per_peer);
    let graceful = GracefulShutdown::new();
    loop {
        let (stream, peer, place) = tokio::select! {
            accepted = accept(&listener, &connections) => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!("cannot take a connection: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
            asked = signals.next() => match asked {
                ShutdownRequest::Stop => break,
                ShutdownRequest::Reload => {
                    live.reload();
                    continue;
                }
            },
        };
        let Some(place) = place else {
            tracing::debug!("connection closed: as many from its machine as max_connections_per_peer allows");
            continue;
        };
        connect(&server, &graceful, edge.clone(), (stream, peer, place), limits.idle);
    }
    drop(listener);
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
}

/// Serves a connection until it ends, while others are served.
fn connect<S, B>(
    server: &auto::Builder<TokioExecutor>,
    graceful: &GracefulShutdown,
    edge: ProxyService<S>,
    (stream, peer, place): (TcpStream, SocketAddr, Place),
    idle: Duration,
) where
    S: Service<Request<Copied<IdleTimeout<Incoming>>>, Response = Response<B>, Error = UpstreamError>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    // Each event of a stream leaves at once.
    let _ = stream.set_nodelay(true);
    let began = Arc::new(AtomicBool::new(false));
    let begins = Arc::clone(&began);
    let service = service_fn(move |request| {
        begins.store(true, Ordering::Relaxed);
        edge.clone().handle(peer, request)
    });
    // A client that takes nothing of its answer holds what is on its way to it.
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(idle));
    let stream = TokioIo::new(Box::pin(stream));
    let connection = graceful.watch(server.serve_connection(stream, service).into_owned());
    tokio::spawn(async move {
        tokio::select! {
            ended = connection => {
                if let Err(error) = ended {
                    tracing::debug!("connection ended: {error}");
                }
            }
            () = nothing_came(idle, &began) => tracing::debug!("connection closed: no request came"),
        }
        drop(place);
    });
}

/// The next connection, once there is room for it, and its place unless its machine has too many.
async fn accept(
    listener: &TcpListener,
    connections: &Connections,
) -> io::Result<(TcpStream, SocketAddr, Option<Place>)> {
    let room = connections.room().await;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, connections.place(room, peer)))
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

/// Ends where a connection has brought no request for so long since it was opened. The server's own timer begins with
/// the first byte.
async fn nothing_came(idle: Duration, began: &AtomicBool) {
    tokio::time::sleep(idle).await;
    if began.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}

/// A connection takes a file handle, and often another one upstream; the usual limit of 1,024 is for programs that use
/// `select`.
fn raise_file_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::debug!("the limit of open files stays: {error}");
        }
    }
}

/// Begins to log. What is given back changes how much.
fn log_to_stderr(level: Log) -> Box<dyn Fn(Log) + Send> {
    use tracing_subscriber::{
        field::MakeExt, fmt::format::debug_fn, layer::SubscriberExt, reload, util::SubscriberInitExt,
    };

    let colours = output::takes_colours(&io::stderr());
    // Paths and errors hold what clients and upstreams sent. A line of it is one line, and commands no terminal.
    let fields = debug_fn(|line, field, value| {
        let text = format!("{value:?}").replace('\n', "\\n");
        let text = output::escape(&text);
        match field.name() {
            "message" => write!(line, "{text}"),
            name => write!(line, "{name}={text}"),
        }
    });
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(colours)
        .with_target(false)
        .fmt_fields(fields.delimited(" "));
    let (ours, handle) = reload::Layer::new(of_ours(level));
    tracing_subscriber::registry().with(ours).with(lines).init();
    Box::new(move |level| {
        let _ = handle.reload(of_ours(level));
    })
}

/// Our own crates only: what others log may show headers.
fn of_ours(level: Log) -> Targets {
    let level = match level {
        Log::Off => LevelFilter::OFF,
        Log::Error => LevelFilter::ERROR,
        Log::Warn => LevelFilter::WARN,
        Log::Info => LevelFilter::INFO,
        Log::Debug => LevelFilter::DEBUG,
    };
    let ours = ["headroom", "headroom_core", "headroom_store", "headroom_tower"];
    Targets::new().with_targets(ours.map(|target| (target, level)))
}
