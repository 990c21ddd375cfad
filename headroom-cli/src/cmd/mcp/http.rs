//! The server for clients that reach it over HTTP, at one path.

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

/// Where clients find it.
const PATH: &str = "/mcp";
/// Most connections at a time. Further ones wait.
const MAX_CONNECTIONS: usize = 64;
/// Most bytes of a call.
const MAX_BODY: usize = 16 << 20;
/// How long a client may take to send a request's head.
const HEAD: Duration = Duration::from_secs(30);
/// How long to wait where the machine is out of something (file handles, mostly) before taking the next connection.
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
    let door = Arc::new(Auth::new(Some(secret), !address.ip().is_loopback()));
    let mcp = mcp(server);
    tokio::select! {
        () = accept(listener, &door, &mcp) => {}
        () = signals.stop() => {}
    }
    Ok(())
}

/// No sessions: a call says all that it needs, so there is nothing to keep for clients that never come back.
fn mcp(server: Server) -> Mcp {
    let server = Arc::new(server);
    // The door has looked at the host and the origin.
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(MAX_BODY)
        .disable_allowed_hosts();
    StreamableHttpService::new(move || Ok(Arc::clone(&server)), Arc::default(), config)
}

fn announce(address: SocketAddr, home: &Path) {
    // Whoever started it may not listen.
    let _ = writeln!(
        io::stderr(),
        "headroom {} serves the Model Context Protocol on http://{address}{PATH}\n\
         clients show the token in {} as `authorization: Bearer TOKEN`",
        env!("CARGO_PKG_VERSION"),
        home.join("token").display(),
    );
}

async fn accept(listener: TcpListener, door: &Arc<Auth>, mcp: &Mcp) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let (door, mcp) = (Arc::clone(door), mcp.clone());
        let answer = service_fn(move |request| answer(Arc::clone(&door), mcp.clone(), request));
        tokio::spawn(async move {
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(HEAD);
            let _ = server.serve_connection(TokioIo::new(stream), answer).await;
            drop(place);
        });
    }
}

async fn answer(
    door: Arc<Auth>,
    mut mcp: Mcp,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, Infallible> {
    if let Some(refusal) = door.refusal(&request, Access::Guarded) {
        return Ok(refusal.response(Provider::OpenAi));
    }
    if request.uri().path().trim_end_matches('/') != PATH {
        let message = format!("headroom: there is nothing but {PATH} here");
        return Ok(failure(Provider::OpenAi, StatusCode::NOT_FOUND, &message));
    }
    let response = mcp.call(request).await?;
    Ok(response.map(|body| body.map_err(|never| match never {}).boxed_unsync()))
}

/// Why it cannot listen there.
pub(super) fn in_use(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::AddrInUse => "it is in use; choose another port",
        io::ErrorKind::PermissionDenied => "it is not allowed; choose a port above 1023",
        _ => "it cannot be used",
    }
}
