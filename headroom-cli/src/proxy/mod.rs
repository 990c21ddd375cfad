//! `headroom proxy`: a transparent reverse proxy with the layer in it.

mod edge;
mod embed;
mod probe;
mod provider;
mod shutdown;
mod storing;
mod tls;
mod upstream;

use std::{io, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::net::TcpListener;
use tower::{BoxError, Service, ServiceBuilder};

use self::{
    edge::Edge,
    shutdown::Signals,
    upstream::{Upstream, UpstreamError},
};
pub(crate) use self::{
    embed::{Embedded, Exchange},
    probe::{Listener, probe},
    provider::Provider,
};
use crate::{
    config::{Config, Log},
    layer,
};

/// How long to wait where the machine is out of something (file handles, mostly) before taking the next connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

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
}

/// Serves until a signal ends it.
pub(crate) async fn run(config: Config) -> Result<(), ProxyError> {
    log_to_stderr(config.log);
    let mut signals = Signals::new().map_err(ProxyError::Signals)?;
    let upstream = Upstream::new(tls::connector()?, config.upstreams.clone());
    let (listener, address) = listen(config.listen.address()).await?;
    announce(&config, address);
    let store = storing::open(&config.store).await;
    let layer = layer(config.tier, store).observer(storing::Warner);
    let service = ServiceBuilder::new().layer(layer).service(upstream);
    serve(listener, Edge::new(service), config.drain, &mut signals).await;
    Ok(())
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
    eprintln!(
        "headroom {} listens on http://{address} (tier {}, store {}); upstreams: {}\n\
         point a client at it: ANTHROPIC_BASE_URL=http://{address} OPENAI_BASE_URL=http://{address}/v1 \
         GOOGLE_GEMINI_BASE_URL=http://{address}",
        env!("CARGO_PKG_VERSION"),
        config.tier,
        config.store,
        config.upstreams,
    );
}

async fn serve<S, B>(listener: TcpListener, edge: Edge<S>, drain: Duration, signals: &mut Signals)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = UpstreamError> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let mut server = http1::Builder::new();
    // Agents pause for minutes between two requests on a connection; only the machine's own clients can connect.
    server.timer(TokioTimer::new()).header_read_timeout(None);
    let graceful = GracefulShutdown::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!("cannot take a connection: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
            () = signals.next() => break,
        };
        // Each event of a stream leaves at once.
        let _ = stream.set_nodelay(true);
        let edge = edge.clone();
        let connection = server
            .serve_connection(TokioIo::new(stream), service_fn(move |request| edge.clone().handle(request)));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("connection ended: {error}");
            }
        });
    }
    drop(listener);
    let open = graceful.count();
    if open > 0 {
        tracing::info!("stopping; {open} connections have {} s to finish", drain.as_secs());
    }
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(drain) => tracing::warn!("stopped before every request was finished"),
        () = signals.next() => tracing::warn!("stopped at once"),
    }
}

fn log_to_stderr(level: Log) {
    use std::io::IsTerminal;
    use tracing_subscriber::{
        filter::{LevelFilter, Targets},
        layer::SubscriberExt,
        util::SubscriberInitExt,
    };

    let level = match level {
        Log::Off => LevelFilter::OFF,
        Log::Error => LevelFilter::ERROR,
        Log::Warn => LevelFilter::WARN,
        Log::Info => LevelFilter::INFO,
        Log::Debug => LevelFilter::DEBUG,
    };
    let colours =
        io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let lines =
        tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(colours).with_target(false);
    // Our own crates only: what others log may show headers.
    let ours = ["headroom", "headroom_core", "headroom_store", "headroom_tower"];
    let ours = Targets::new().with_targets(ours.map(|target| (target, level)));
    tracing_subscriber::registry().with(lines).with(ours).init();
}
