//! One request of a client: what Envoy is told about its parts.

use std::{
    future::poll_fn,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use headroom_tower::{PromptCompressionLayer, RequestReport};
use http::{HeaderMap, Request, header, request::Parts};
use http_body::Body;
use http_body_util::Full;
use tokio_stream::Stream;
use tonic::Status;

use crate::{
    head,
    messages::{Interrupted, Messages, StreamedBody},
    proto::{BodySendMode, HttpHeaders, Part, ProcessingRequest, ProcessingResponse},
    replies::Replies,
    reply::{self, Modes},
};

/// What was done with a request whose body was read.
#[derive(Debug)]
#[non_exhaustive]
pub struct ProcessedRequest<'a> {
    /// Its method.
    pub method: &'a http::Method,
    /// Its path, without the query.
    pub path: &'a str,
    /// The layer's report.
    pub report: &'a RequestReport,
    /// The time from the head of the request to the answer that Envoy gets, with the time in which the body arrived.
    pub elapsed: Duration,
}

/// Gets every [`ProcessedRequest`].
pub(crate) type Watch = Arc<dyn Fn(&ProcessedRequest<'_>) + Send + Sync>;

/// The parts of one request and what answers them.
pub(crate) struct Exchange<S> {
    layer: PromptCompressionLayer,
    watch: Watch,
    messages: Messages<S>,
    replies: Replies,
    modes: Modes,
    start: Instant,
}

impl<S: Stream<Item = Result<ProcessingRequest, Status>> + Unpin> Exchange<S> {
    pub(crate) fn new(
        layer: PromptCompressionLayer,
        watch: Watch,
        messages: Messages<S>,
        replies: Replies,
    ) -> Self {
        let modes = Modes::new(None);
        Self { layer, watch, messages, replies, modes, start: Instant::now() }
    }

    /// Answers until nothing is left to do. The end of the stream lets everything go on as it comes; only pieces that both
    /// sides stream have to be sent to their ends.
    ///
    /// # Errors
    ///
    /// A body that both sides stream broke off: without an error its destination would take a part for the whole.
    pub(crate) async fn run(mut self, warn: impl FnOnce(BodySendMode)) -> Result<(), Interrupted> {
        let Some(first) = self.messages.message().await else { return Ok(()) };
        self.start = Instant::now();
        if first.observability_mode {
            return Ok(());
        }
        self.modes = Modes::new(first.protocol_config.as_ref());
        let Some(first) = first.request else { return Ok(()) };
        tracing::debug!(mode = ?self.modes.request, "a request begins");
        match (self.modes.request, first) {
            (Some(BodySendMode::FullDuplexStreamed), part) => self.stream(part).await?,
            (None | Some(BodySendMode::Buffered), Part::RequestHeaders(head)) => self.buffer(head).await,
            (mode, part) => {
                if let (Some(mode), true) = (mode, matches!(part, Part::RequestHeaders(_))) {
                    warn(mode);
                }
                if self.modes.streams_response() {
                    self.replies.send(reply::unchanged(part, self.modes)).await;
                }
            }
        }
        if self.modes.streams_response() {
            self.pass_on().await;
        }
        Ok(())
    }

    /// Handles a request whose body comes in one piece.
    async fn buffer(&self, head: HttpHeaders) {
        let parts = head.headers.as_ref().and_then(head::parts);
        self.replies.send(reply::head(None)).await;
        let Some(parts) = parts.filter(|parts| !head.end_of_stream && self.may_change(parts)) else { return };
        while let Some(part) = self.messages.part().await {
            match part {
                Part::RequestBody(part) if part.end_of_stream => {
                    let reply = self.rewrite(parts, part.body).await;
                    return self.replies.send(reply).await;
                }
                // A part of a body, or one with trailers behind it.
                Part::RequestBody(_) => return self.replies.send(reply::unchanged(part, self.modes)).await,
                part => self.replies.send(reply::unchanged(part, self.modes)).await,
            }
        }
    }

    /// Whether the layer reads the body, and headers can be changed with it.
    fn may_change(&self, parts: &Parts) -> bool {
        let is_encoded = parts.headers.contains_key(header::CONTENT_ENCODING);
        (self.modes.request.is_some() || !is_encoded) && self.layer.check(parts).is_ok()
    }

    async fn rewrite(&self, parts: Parts, body: Bytes) -> ProcessingResponse {
        let before = parts.headers.clone();
        let request = self.layer.rewrite(Request::from_parts(parts, Full::new(body))).await;
        let is_rewritten = self.tell(&request);
        let (parts, body) = request.into_parts();
        match first_piece(body).await.filter(|_| is_rewritten) {
            Some(body) => reply::body(head::changes(&before, &parts.headers), body),
            None => reply::unchanged(Part::RequestBody(crate::proto::HttpBody::default()), self.modes),
        }
    }

    /// Handles a request whose body comes and goes in pieces. Nothing of it reaches its destination by another way.
    async fn stream(&self, first: Part) -> Result<(), Interrupted> {
        let (head, first) = match first {
            Part::RequestHeaders(head) => (Some(head), None),
            part @ (Part::RequestBody(_) | Part::RequestTrailers(_)) => (None, Some(part)),
            part => {
                self.replies.send(reply::unchanged(part, self.modes)).await;
                return Ok(());
            }
        };
        let body = StreamedBody::new(self.messages.clone(), self.replies.clone(), self.modes, first);
        let Some(head) = head else { return self.send(body).await };
        let parts = head.headers.as_ref().and_then(head::parts).filter(|_| !head.end_of_stream);
        let Some(parts) = parts else {
            self.replies.send(reply::head(None)).await;
            return if head.end_of_stream { Ok(()) } else { self.send(body).await };
        };
        let before: HeaderMap = parts.headers.clone();
        let request = self.layer.rewrite(Request::from_parts(parts, body)).await;
        let is_rewritten = self.tell(&request);
        let (parts, body) = request.into_parts();
        let changes = is_rewritten.then(|| head::streamed_changes(&before, &parts.headers)).flatten();
        self.replies.send(reply::head(changes)).await;
        self.send(body).await
    }

    /// Sends a body on to its end.
    async fn send(&self, body: impl Body<Data = Bytes, Error = Interrupted>) -> Result<(), Interrupted> {
        let mut body = pin!(body);
        loop {
            let (data, is_last) = match poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
                None => (Bytes::new(), true),
                Some(Err(interrupted)) => return Err(interrupted),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => (data, body.is_end_stream()),
                    Err(_) => {
                        self.replies.send(reply::trailers()).await;
                        return Ok(());
                    }
                },
            };
            for piece in reply::pieces(data, is_last) {
                self.replies.send(piece).await;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Lets all that follows go on as it comes.
    async fn pass_on(&self) {
        while let Some(part) = self.messages.part().await {
            self.replies.send(reply::unchanged(part, self.modes)).await;
        }
    }

    /// Tells the watch what was done, if the body was read. Returns whether it was rewritten.
    fn tell<B>(&self, request: &Request<B>) -> bool {
        let Some(report) = request.extensions().get::<RequestReport>() else { return false };
        let (method, path) = (request.method(), request.uri().path());
        (self.watch)(&ProcessedRequest { method, path, report, elapsed: self.start.elapsed() });
        report.is_rewritten()
    }
}

/// The first piece of a body, which is all of one that was rewritten.
async fn first_piece(body: impl Body<Data = Bytes>) -> Option<Bytes> {
    let mut body = pin!(body);
    let frame = poll_fn(|cx| body.as_mut().poll_frame(cx)).await?.ok()?;
    frame.into_data().ok()
}
