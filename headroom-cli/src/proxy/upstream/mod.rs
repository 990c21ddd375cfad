pub(crate) mod connect;

use std::{
    error::Error,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use headroom_tower::RequestReport;
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version, header, request::Parts,
};
use http_body::Body;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use tower::{BoxError, Service};

use super::{
    HTTP2_KEEPALIVE, Provider,
    aws::{self, SignError, Signer},
    dashboard::{Copies, Side},
    idle::IdleTimeout,
    reload::LiveUpstreams,
};
use crate::{
    config::Base,
    observed::Observed,
    proxy::{accounting::exchange::Exchange, upstream::connect::Connector},
    usage::{ModelReader, Usage, UsageReader},
};

/// Headers that belong to one connection and not to the message. `Expect` is included because the server has answered
/// it by the time the body is read.
const HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHORIZATION,
    header::PROXY_AUTHENTICATE,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::EXPECT,
];

/// The prefix of Headroom's own headers, which are not sent upstream.
const OWN: &str = "x-headroom-";

/// Reports a provider's usage and model to a turn.
type OnUsage = Box<dyn FnMut(Option<Usage>, Option<&str>) + Send>;

/// Sends requests to their provider.
#[derive(Clone, Debug)]
pub(super) struct Upstream {
    client: Client<Connector, UnsyncBoxBody<Bytes, BoxError>>,
    upstreams: LiveUpstreams,
    /// For requests to Bedrock; `None` if they are sent with the client's signature.
    signer: Option<Signer>,
    /// How long a response may stall.
    patience: Duration,
}

/// The upstream gave no response.
#[derive(Debug, thiserror::Error)]
pub(super) enum UpstreamError {
    #[error("cannot reach {base}: {}", innermost(.source))]
    Unreachable { base: Base, source: hyper_util::client::legacy::Error },
    #[error("{base} gave no answer: {}", innermost(.source))]
    NoAnswer { base: Base, source: hyper_util::client::legacy::Error },
    #[error(
        "no upstream for {provider}, which depends on the region; start the proxy with --{provider}-upstream URL"
    )]
    Unknown { provider: &'static str },
    #[error("the request's path cannot be sent to {base}: {source}")]
    Path { base: Base, source: http::Error },
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error("the request's body cannot be read: {0}")]
    Body(#[source] BoxError),
    #[error("{base} sent nothing for {} s", .patience.as_secs())]
    Silent { base: Base, patience: Duration },
    #[error("{base} {reason}")]
    Unsafe { base: Base, reason: UnsafeAnswer },
    #[error("the request is larger than {} MiB, the limit for signed requests", aws::MAX_BODY >> 20)]
    TooLarge,
}

/// Why a response cannot be passed on: it would mean something else to the client than it did here.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum UnsafeAnswer {
    #[error("switched to a protocol that was not requested")]
    Switched,
    #[error("sent its response in a transfer coding that was not requested")]
    TransferCoding,
}

impl UpstreamError {
    /// The label in traces.
    const fn kind(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::NoAnswer { .. } => "no_answer",
            Self::Unknown { .. } => "no_upstream",
            Self::Path { .. } => "path",
            Self::Sign(_) => "sign",
            Self::Body(_) => "request_body",
            Self::Silent { .. } => "timeout",
            Self::Unsafe { .. } => "unsafe_answer",
            Self::TooLarge => "too_large",
        }
    }

    /// The status of the response to the client.
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::Sign(SignError::Credentials(_)) => StatusCode::UNAUTHORIZED,
            Self::Body(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Silent { .. } => StatusCode::GATEWAY_TIMEOUT,
            Self::Unreachable { .. }
            | Self::NoAnswer { .. }
            | Self::Unknown { .. }
            | Self::Path { .. }
            | Self::Unsafe { .. }
            | Self::Sign(_) => StatusCode::BAD_GATEWAY,
        }
    }
}

/// The wrapping errors say no more than that sending failed.
fn innermost<'a>(mut error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    while let Some(source) = error.source() {
        error = source;
    }
    error
}

impl Upstream {
    pub(super) fn new(
        connector: Connector,
        upstreams: LiveUpstreams,
        signer: Option<Signer>,
        patience: Duration,
    ) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .http2_adaptive_window(true)
            .http2_keep_alive_interval(HTTP2_KEEPALIVE)
            .build(connector);
        Self { client, upstreams, signer, patience }
    }
}

impl<B> Service<Request<B>> for Upstream
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<Observed<IdleTimeout<Incoming>, UsageReader<OnUsage>>>;
    type Error = UpstreamError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let provider = Provider::from_request(parts.uri.path(), &parts.headers);
        let upstreams = self.upstreams.get();
        let Some(base) = upstreams.for_provider(provider) else {
            let error = UpstreamError::Unknown { provider: provider.as_str() };
            return Box::pin(std::future::ready(Err(error)));
        };
        parts.uri = match base.join(&parts.uri) {
            Ok(uri) => uri,
            Err(source) => {
                let error = UpstreamError::Path { base: base.clone(), source };
                return Box::pin(std::future::ready(Err(error)));
            }
        };
        // The client's `host` names the proxy; the upstream's name is in the URL.
        parts.headers.remove(header::HOST);
        strip_hop_by_hop(&mut parts.headers);
        strip_own(&mut parts.headers);
        parts.version = Version::HTTP_11;
        let turn = parts.extensions.remove::<Exchange>().unwrap_or_default();
        let report = parts.extensions.remove::<RequestReport>();
        let span = turn.span().call(&mut parts, provider, base, report.as_ref());
        let call = turn.call(report);
        let copies = if call == 0 { turn.copies().clone() } else { Copies::default() };
        let asked = span.clone();
        let model = ModelReader::new(span.wants_model(), move |model: &str| asked.asked(model));
        let body = Observed::new(copies.copy(body, Side::After), model);
        let signer =
            self.signer.clone().filter(|_| provider == Provider::Bedrock && aws::wants_signature(&parts));
        let (base, client, patience) = (base.clone(), self.client.clone(), self.patience);
        Box::pin(async move {
            let answer = send(&client, signer, (parts, body), base, patience).await;
            let mut response = answer.inspect_err(|error| span.failed(error.kind()))?;
            strip_hop_by_hop(response.headers_mut());
            turn.answered(call, response.status().as_u16());
            span.answered(response.status(), response.headers());
            let (parts, body) = response.into_parts();
            let used: OnUsage = Box::new(move |usage, model| {
                span.used(usage, model);
                turn.used(call, usage, model);
            });
            let usage = UsageReader::new(&parts.headers, used);
            let body = Observed::new(IdleTimeout::new(body, patience), usage);
            Ok(Response::from_parts(parts, body))
        })
    }
}

/// Sends a request and waits for the head of its answer.
async fn send<B>(
    client: &Client<Connector, UnsyncBoxBody<Bytes, BoxError>>,
    signer: Option<Signer>,
    (mut parts, body): (Parts, B),
    base: Base,
    patience: Duration,
) -> Result<Response<Incoming>, UpstreamError>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let body = match signer {
        Some(signer) => signed(&signer, &mut parts, body).await?,
        None => body.map_err(Into::into).boxed_unsync(),
    };
    let sent = client.request(Request::from_parts(parts, body));
    let Ok(answer) = tokio::time::timeout(patience, sent).await else {
        return Err(UpstreamError::Silent { base, patience });
    };
    let mut response = match answer {
        Ok(response) => response,
        Err(source) if source.is_connect() => return Err(UpstreamError::Unreachable { base, source }),
        Err(source) => return Err(UpstreamError::NoAnswer { base, source }),
    };
    check(&mut response).map_err(|reason| UpstreamError::Unsafe { base, reason })?;
    Ok(response)
}

/// Reads the body completely, and signs the request.
async fn signed<B>(
    signer: &Signer,
    parts: &mut Parts,
    body: B,
) -> Result<UnsyncBoxBody<Bytes, BoxError>, UpstreamError>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send,
{
    let body = Limited::new(body, aws::MAX_BODY).collect().await;
    let body = body.map_err(|error| match error.is::<LengthLimitError>() {
        true => UpstreamError::TooLarge,
        false => UpstreamError::Body(error),
    })?;
    let body = body.to_bytes();
    signer.sign(parts, &body).await?;
    parts.headers.insert(header::CONTENT_LENGTH, body.len().into());
    Ok(Full::from(body).map_err(|never| match never {}).boxed_unsync())
}

/// Passes on the head of a response if it means the same to the client as it did here.
fn check(response: &mut Response<Incoming>) -> Result<(), UnsafeAnswer> {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Err(UnsafeAnswer::Switched);
    }
    let headers = response.headers_mut();
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter().peekable();
    if codings.peek().is_some() {
        // Only chunks were decoded; another coding would be taken for the content.
        if !codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked")) {
            return Err(UnsafeAnswer::TransferCoding);
        }
        // RFC 9112, section 6.3: it overrides a length. The client, which gets the length alone, would cut the content.
        headers.remove(header::CONTENT_LENGTH);
    } else if let Some(length) = only_length(headers) {
        headers.insert(header::CONTENT_LENGTH, length);
    }
    Ok(())
}

/// The length of a response that repeats it. Different lengths were rejected by hyper.
fn only_length(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter().map(HeaderValue::as_bytes);
    let first = lengths.next()?.split(|byte| *byte == b',').next()?;
    HeaderValue::from_bytes(first.trim_ascii()).ok()
}

fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

fn strip_own(headers: &mut HeaderMap) {
    let own: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with(OWN)).cloned().collect();
    for name in &own {
        headers.remove(name);
    }
}
