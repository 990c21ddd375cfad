//! The part between the network and the layers: access, the proxy's own routes, errors as responses, the log line.

mod settings;
pub(crate) mod signals;

use std::{
    convert::Infallible,
    fmt,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use headroom_core::Retrieval;
use headroom_tower::RequestReport;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use metrics::histogram;
use pin_project_lite::pin_project;
use tower::{BoxError, Service, ServiceExt};

use self::settings::{Caller, RequestSettings};
use super::{
    Provider,
    accounting::Totals,
    answer::{self, ResponseBody},
    auth::{Access, Auth},
    aws,
    dashboard::{CopiedBody, Copies, OpenCopies, Side},
    effect::Effect,
    idle::{BodyFailure, IdleTimeout},
    routes::{OwnRoutes, Route},
    telemetry::{ServerSpan, Telemetry},
    upstream::UpstreamError,
    version,
};
use crate::{
    config::LogFormat,
    proxy::accounting::{
        exchange::{Exchange, ExchangeRecorder},
        metered::FIRST_BYTE,
    },
    tokens::Tokens,
};

/// Handles requests; cloned for every connection.
#[derive(Clone, Debug)]
pub(super) struct ProxyService<S> {
    service: S,
    shared: Arc<ServerState>,
}

#[derive(Debug)]
struct ServerState {
    auth: Auth,
    own: OwnRoutes,
    totals: Arc<Totals>,
    options: ForwardOptions,
    /// The size of the copies of open requests, where there is no dashboard.
    copies: OpenCopies,
}

/// How requests are forwarded.
#[derive(Debug)]
pub(super) struct ForwardOptions {
    pub(super) retrieval: Retrieval,
    /// Whether the proxy signs requests to Bedrock.
    pub(super) signs: bool,
    /// How long a request's body may stall.
    pub(super) patience: Duration,
    pub(super) telemetry: Telemetry,
    pub(super) log_format: LogFormat,
}

impl<S> ProxyService<S> {
    pub(super) fn new(
        service: S,
        auth: Auth,
        own: OwnRoutes,
        totals: Arc<Totals>,
        options: ForwardOptions,
    ) -> Self {
        let copies = OpenCopies::default();
        Self { service, shared: Arc::new(ServerState { auth, own, totals, options, copies }) }
    }

    pub(super) async fn handle<I, B>(
        self,
        peer: SocketAddr,
        request: Request<I>,
    ) -> Result<Response<ResponseBody>, Infallible>
    where
        S: Service<Request<CopiedBody<IdleTimeout<I>>>, Response = Response<B>, Error = UpstreamError>,
        I: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let start = Instant::now();
        let options = &self.shared.options;
        let (patience, log_format) = (options.patience, options.log_format);
        let mut request = request.map(|body| IdleTimeout::new(body, patience));
        version::as_http1(&mut request);
        let line = LogLine { method: request.method().clone(), path: request.uri().path().to_owned() };
        let route = Route::from_path(&line.path);
        let provider = Provider::from_request(&line.path, request.headers());
        let mut turn = Exchange::default();
        let access = route.map_or(Access::Forwarded, Route::access);
        let headers = request.headers();
        let caller = Caller::new(peer, headers, self.shared.auth.has_token(headers));
        let mut settings = RequestSettings::new(headers, caller, options.retrieval);
        if let Some(own) = settings.take() {
            request.extensions_mut().insert(own);
        }
        let response = match (self.shared.auth.refusal(&request, access), route) {
            (Some(refusal), _) => refusal.response(provider),
            (None, Some(route)) => self.shared.own.answer(route, request).await,
            (None, None) => {
                let span = options.telemetry.serve(&request, provider);
                let recorded =
                    is_turn(&request).then(|| self.record(request.headers(), provider, span.clone()));
                turn = recorded.as_ref().map_or_else(|| turn.traced(span), |recorded| recorded.turn.clone());
                let mut response = self.forward(request, provider, turn.clone(), recorded, start).await;
                settings.describe(response.headers_mut());
                response
            }
        };
        line.write(log_format, &response, &turn, start);
        Ok(response)
    }

    /// Creates the recorder of a turn.
    fn record(&self, headers: &HeaderMap, provider: Provider, span: ServerSpan) -> ExchangeRecorder {
        let totals = Arc::clone(&self.shared.totals);
        let Some(board) = self.shared.own.board() else {
            let copies = Copies::new(self.shared.copies.clone(), headers);
            let turn = Exchange::copied_to(copies).traced(span);
            return ExchangeRecorder { turn, provider, totals, board: None };
        };
        let (copies, begun) = board.begin(headers);
        let turn = Exchange::copied_to(copies).traced(span);
        ExchangeRecorder { turn, provider, totals, board: Some((Arc::clone(board), begun)) }
    }

    async fn forward<I, B>(
        self,
        request: Request<IdleTimeout<I>>,
        provider: Provider,
        turn: Exchange,
        recorded: Option<ExchangeRecorder>,
        start: Instant,
    ) -> Response<ResponseBody>
    where
        S: Service<Request<CopiedBody<IdleTimeout<I>>>, Response = Response<B>, Error = UpstreamError>,
        I: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let failure = request.body().failure();
        let mut request = request.map(|body| turn.copies().copy(body, Side::Before));
        if self.shared.options.signs && provider == Provider::Bedrock {
            aws::strip(request.headers_mut());
        }
        request.extensions_mut().insert(turn.clone());
        let mut traced = TracedTurn { turn: turn.clone(), status: None };
        match self.service.oneshot(request).await {
            Ok(mut response) => {
                traced.status = Some(response.status());
                let class = class(response.status());
                histogram!(FIRST_BYTE, "provider" => provider.as_str(), "status" => class)
                    .record(start.elapsed());
                describe(&turn, &mut response);
                response
                    .map(|body| RecordedBody { body, recorded, traced }.map_err(Into::into).boxed_unsync())
            }
            Err(error) => {
                let response = failed(&error, &failure, provider);
                traced.status = Some(response.status());
                response
            }
        }
    }
}

/// The response to a failed upstream request. It is the client's fault if its own body failed.
fn failed(error: &UpstreamError, body: &OnceLock<BodyFailure>, provider: Provider) -> Response<ResponseBody> {
    let (status, reason) = match body.get() {
        Some(BodyFailure::Idle(limit)) => {
            let reason = format!("nothing of the request's body arrived for {} s", limit.as_secs());
            (StatusCode::REQUEST_TIMEOUT, reason)
        }
        Some(BodyFailure::Broken) => {
            (StatusCode::BAD_REQUEST, "the request's body is malformed or incomplete".to_owned())
        }
        None => (error.status(), error.to_string()),
    };
    tracing::warn!("{reason}");
    let mut response = answer::failure(provider, status, &format!("headroom: {reason}"));
    if status == StatusCode::REQUEST_TIMEOUT {
        // Further bytes of the body are not the next request.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Whether the model is asked for an answer. Counting a conversation's tokens has the same body and costs nothing.
fn is_turn<B>(request: &Request<B>) -> bool {
    const COUNTS: [&str; 4] = ["/count_tokens", ":countTokens", "/input_tokens", "/count-tokens"];
    let path = request.uri().path();
    request.method() == Method::POST && !COUNTS.iter().any(|end| path.ends_with(end))
}

const fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        0..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

/// Adds headers with the outcome if the layer handled the request.
fn describe<B>(turn: &Exchange, response: &mut Response<B>) {
    let Some(report) = turn.report() else { return };
    let headers = response.headers_mut();
    let outcome = outcome(turn, &report);
    headers.insert(HeaderName::from_static("x-headroom-outcome"), HeaderValue::from_static(outcome));
    if let Some(engine) = report.report() {
        let tokens = Tokens::from_report(engine);
        let after = if outcome == "rewritten" { tokens.after } else { tokens.before };
        headers.insert(HeaderName::from_static("x-headroom-tokens-before"), tokens.before.into());
        headers.insert(HeaderName::from_static("x-headroom-tokens-after"), after.into());
        if outcome == "rewritten" && !engine.epochs.is_empty() {
            headers.insert(HeaderName::from_static("x-headroom-epochs"), engine.epochs.len().into());
        }
    }
}

fn outcome(turn: &Exchange, report: &RequestReport) -> &'static str {
    match report.skip_reason() {
        Some(reason) => reason.as_str(),
        None if turn.was_rejected() => "rejected",
        None => "rewritten",
    }
}

pin_project! {
    /// A response's body; the turn is over when it is dropped.
    struct RecordedBody<B> {
        #[pin]
        body: B,
        recorded: Option<ExchangeRecorder>,
        traced: TracedTurn,
    }
}

/// Ends the span of a turn.
struct TracedTurn {
    turn: Exchange,
    /// `None` while there is no answer; its client may leave.
    status: Option<StatusCode>,
}

impl Drop for TracedTurn {
    fn drop(&mut self) {
        let report = self.turn.report();
        let outcome = report.map(|report| outcome(&self.turn, &report));
        self.turn.span().end(self.status, outcome);
    }
}

impl<B: Body> Body for RecordedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The log line of a request. Counts, never content.
struct LogLine {
    method: Method,
    path: String,
}

impl LogLine {
    fn write<B>(&self, format: LogFormat, response: &Response<B>, turn: &Exchange, start: Instant) {
        let (method, path, status) = (self.method.as_str(), self.path.as_str(), response.status().as_u16());
        let ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        if format == LogFormat::Text {
            tracing::info!("{method} {path} {status} in {ms} ms{}", TurnEffect(turn));
            return;
        }
        let report = turn.report();
        let outcome = report.as_ref().map(|report| outcome(turn, report));
        let tokens = report.as_ref().and_then(RequestReport::report).map(Tokens::from_report);
        let (before, after) = (tokens.map(|tokens| tokens.before), tokens.map(|tokens| tokens.after));
        tracing::info!(
            method,
            path,
            status,
            ms,
            outcome,
            tokens_before = before,
            tokens_after = after,
            "request"
        );
    }
}

/// What the layer did to the request.
struct TurnEffect<'a>(&'a Exchange);

impl fmt::Display for TurnEffect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(report) = self.0.report() else { return Ok(()) };
        Effect { outcome: outcome(self.0, &report), report: &report }.fmt(f)
    }
}
