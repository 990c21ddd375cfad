use std::{convert::Infallible, fmt, net::IpAddr, time::Instant};

use bytes::Bytes;
use headroom_tower::RequestReport;
use http::{Method, Request, Response, StatusCode, header, uri::Authority};
use http_body::Body;
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};

use tower::{BoxError, Service, ServiceExt};

use super::{Provider, upstream::UpstreamError};

type ResponseBody = UnsyncBoxBody<Bytes, BoxError>;

/// What stands between the network and the layers: who may come in, errors as responses, the log line.
#[derive(Clone, Debug)]
pub(super) struct Edge<S> {
    service: S,
}

impl<S> Edge<S> {
    pub(super) const fn new(service: S) -> Self {
        Self { service }
    }

    pub(super) async fn handle<I, B>(self, request: Request<I>) -> Result<Response<ResponseBody>, Infallible>
    where
        S: Service<Request<I>, Response = Response<B>, Error = UpstreamError>,
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let start = Instant::now();
        let provider = Provider::of(request.uri().path(), request.headers());
        let line = Line { method: request.method().clone(), path: request.uri().path().to_owned() };
        let response = match refusal(&request) {
            Some(refusal) => refusal.response(provider),
            None => match self.service.oneshot(request).await {
                Ok(response) => response.map(|body| body.map_err(Into::into).boxed_unsync()),
                Err(error) => {
                    tracing::warn!("{error}");
                    failure(provider, StatusCode::BAD_GATEWAY, &format!("headroom: {error}"))
                }
            },
        };
        line.write(&response, start);
        Ok(response)
    }
}

fn failure(provider: Provider, status: StatusCode, message: &str) -> Response<ResponseBody> {
    let body = Full::from(provider.error(status, message)).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

/// Why a request does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// A tunnel to somewhere of the request's choosing.
    Connect,
    /// A name that is not this machine's: a web page whose name was made to point here.
    Host,
    /// A WebSocket, which clients give up for plain HTTP when told so.
    WebSocket,
}

fn refusal<B>(request: &Request<B>) -> Option<Refusal> {
    if request.method() == Method::CONNECT {
        Some(Refusal::Connect)
    } else if !is_own_host(request) {
        Some(Refusal::Host)
    } else if is_websocket(request) {
        Some(Refusal::WebSocket)
    } else {
        None
    }
}

impl Refusal {
    fn response(self, provider: Provider) -> Response<ResponseBody> {
        let (status, message) = match self {
            Self::Connect => (
                StatusCode::METHOD_NOT_ALLOWED,
                "headroom: this is a reverse proxy; set it as the client's base URL, not as its HTTP proxy",
            ),
            Self::Host => (
                StatusCode::MISDIRECTED_REQUEST,
                "headroom: the Host header names another machine; use localhost or the address that the proxy \
                 listens on",
            ),
            Self::WebSocket => (
                StatusCode::UPGRADE_REQUIRED,
                "headroom: WebSocket is not supported; use HTTP on the same path",
            ),
        };
        let mut response = failure(provider, status, message);
        if self == Self::WebSocket {
            // RFC 9110 wants the protocol named that the client should use.
            response.headers_mut().insert(header::UPGRADE, header::HeaderValue::from_static("HTTP/1.1"));
        }
        response
    }
}

/// Whether the request was meant for this machine, by every name that it gives.
fn is_own_host<B>(request: &Request<B>) -> bool {
    let own = |authority: &Authority| {
        let host = authority.host();
        let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        (ip.is_ok_and(|ip| ip.is_loopback()) || host.eq_ignore_ascii_case("localhost"))
            && !authority.as_str().contains('@')
    };
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next().and_then(|host| host.as_bytes().try_into().ok());
    let target = request.uri().authority();
    hosts.next().is_none() && host.as_ref().is_some_and(own) && target.is_none_or(own)
}

fn is_websocket<B>(request: &Request<B>) -> bool {
    let upgrades = request.headers().get_all(header::UPGRADE).iter();
    upgrades
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.to_ascii_lowercase().contains("websocket"))
}

/// The line that the log has for a request. Counts, never content.
struct Line {
    method: Method,
    path: String,
}

impl Line {
    fn write<B>(&self, response: &Response<B>, start: Instant) {
        let report = response.extensions().get::<RequestReport>();
        tracing::info!(
            "{} {} {} in {} ms{}",
            self.method,
            self.path,
            response.status().as_u16(),
            start.elapsed().as_millis(),
            Effect(report)
        );
    }
}

/// What the layer did to the request.
struct Effect<'a>(Option<&'a RequestReport>);

impl fmt::Display for Effect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(result) = self.0 else { return Ok(()) };
        if let Some(reason) = result.skip_reason() {
            return write!(f, ", sent as it was: {reason}");
        }
        let Some(report) = result.report() else { return Ok(()) };
        let sum = |get: fn(&headroom_core::BlockReport) -> Option<usize>| -> usize {
            report.blocks.iter().filter_map(get).sum()
        };
        let (before, after) = (sum(|block| block.tokens_before), sum(|block| block.tokens_after));
        write!(f, ", tool results {before} -> {after} tokens, {} saved", report.tokens_saved)
    }
}
