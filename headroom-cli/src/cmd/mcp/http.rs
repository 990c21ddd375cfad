//! Serves MCP over HTTP, at one path.

use std::{
    convert::Infallible,
    io::{self, Write},
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::Duration,
};

use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};
use tokio::{net::TcpListener, sync::Semaphore};
use tower::Service;

use super::{McpError, server::Server};
use crate::{
    config,
    proxy::{Access, Auth, Provider, ResponseBody, Signals, failure},
    secret::Secret,
};

/// The path of the server.
const PATH: &str = "/mcp";
/// Maximum number of open connections. Further ones wait.
const MAX_CONNECTIONS: usize = 64;
/// Maximum size of a call in bytes.
const MAX_BODY: usize = 16 << 20;
/// Timeout for the head of a request.
const HEAD: Duration = Duration::from_secs(30);
/// Delay before the next accept after the machine ran out of a resource, usually file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

type Mcp = StreamableHttpService<Arc<Server>, NeverSessionManager>;

/// Serves until a signal ends it.
pub(super) async fn serve(address: SocketAddr, server: Server) -> Result<(), McpError> {
    let home = config::home().ok_or(McpError::NoHome)?;
    let secret = Secret::in_folder(&home)?;
    let mut signals = Signals::new().map_err(McpError::Signals)?;
    let failed = |source| McpError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    announce(bound, &home);
    let auth = Arc::new(Auth::new(Some(secret), !address.ip().is_loopback()));
    let mcp = mcp(server);
    tokio::select! {
        () = accept(listener, &auth, &mcp) => {}
        () = signals.stop() => {}
    }
    Ok(())
}

/// Keeps no sessions: a call is self-contained, so clients that never return leave nothing behind.
fn mcp(server: Server) -> Mcp {
    let server = Arc::new(server);
    // `auth` has checked the host and the origin.
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(MAX_BODY)
        .disable_allowed_hosts();
    StreamableHttpService::new(move || Ok(Arc::clone(&server)), Arc::default(), config)
}

fn announce(address: SocketAddr, home: &Path) {
    // Standard error may be closed.
    let _ = writeln!(
        io::stderr(),
        "headroom {} serves the Model Context Protocol on http://{address}{PATH}\n\
         clients show the token in {} as `authorization: Bearer TOKEN`",
        env!("CARGO_PKG_VERSION"),
        home.join("token").display(),
    );
}

async fn accept(listener: TcpListener, auth: &Arc<Auth>, mcp: &Mcp) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let (auth, mcp) = (Arc::clone(auth), mcp.clone());
        let answer = service_fn(move |request| answer(Arc::clone(&auth), mcp.clone(), request));
        tokio::spawn(async move {
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(HEAD);
            let _ = server.serve_connection(TokioIo::new(stream), answer).await;
            drop(place);
        });
    }
}

async fn answer(
    auth: Arc<Auth>,
    mut mcp: Mcp,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, Infallible> {
    if let Some(refusal) = auth.refusal(&request, Access::Guarded) {
        return Ok(refusal.response(Provider::OpenAi));
    }
    if request.uri().path().trim_end_matches('/') != PATH {
        let message = format!("headroom: there is nothing but {PATH} here");
        return Ok(failure(Provider::OpenAi, StatusCode::NOT_FOUND, &message));
    }
    let response = mcp.call(request).await?;
    Ok(response.map(|body| body.map_err(|never| match never {}).boxed_unsync()))
}

/// Why the address cannot be used.
pub(super) fn in_use(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::AddrInUse => "it is in use; choose another port",
        io::ErrorKind::PermissionDenied => "it is not allowed; choose a port above 1023",
        _ => "it cannot be used",
    }
}
