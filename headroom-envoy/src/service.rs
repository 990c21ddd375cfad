//! The gRPC service.

use std::{
    convert::Infallible,
    fmt,
    future::{Future, Ready, ready},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use headroom_tower::{ArrivalMemory, PromptCompressionLayer};
use http_body::Body;
use tonic::{
    Request, Response, Status, Streaming,
    server::{Grpc, NamedService, StreamingService},
};
use tonic_prost::ProstCodec;
use tower_service::Service;

use crate::{
    arrival::{MeteredBody, Release},
    exchange::{Exchange, ProcessedRequest, Watch},
    messages::{Interrupted, Messages},
    proto::{BodySendMode, ProcessingRequest, ProcessingResponse},
    replies::{Replies, ReplyStream},
};

/// The longest message: a body as long as the layer reads, and room for what is around it.
const MAX_MESSAGE: usize = 33 << 20;
/// The default of `max_arriving`: 512 MiB.
const MAX_ARRIVING: u64 = 512 << 20;
const METHOD: &str = "/envoy.service.ext_proc.v3.ExternalProcessor/Process";

/// Envoy's external processing service, `envoy.service.ext_proc.v3.ExternalProcessor`, over a
/// [`PromptCompressionLayer`].
///
/// It is a [`Service`] of HTTP requests, for any server that speaks HTTP/2. Clones share everything.
///
/// See the [crate docs](crate) for what it does and what it leaves.
#[derive(Clone)]
pub struct ExternalProcessor {
    layer: PromptCompressionLayer,
    watch: Watch,
    arriving: ArrivalMemory,
    has_warned: Arc<AtomicBool>,
}

impl ExternalProcessor {
    /// Creates the service.
    ///
    /// The layer does not see responses, so its retrieval must be one that needs none:
    /// [`Retrieval::Disabled`](headroom_tower::headroom_core::Retrieval::Disabled),
    /// [`ClientTool`](headroom_tower::headroom_core::Retrieval::ClientTool) or
    /// [`File`](headroom_tower::headroom_core::Retrieval::File).
    ///
    /// # Example
    ///
    /// ```
    /// use headroom_envoy::ExternalProcessor;
    /// use headroom_tower::PromptCompressionLayer;
    ///
    /// let service = ExternalProcessor::new(PromptCompressionLayer::new());
    /// # let _ = service;
    /// ```
    #[must_use]
    pub fn new(layer: PromptCompressionLayer) -> Self {
        let arriving = ArrivalMemory::new(MAX_ARRIVING);
        Self { layer, watch: Arc::new(|_| {}), arriving, has_warned: Arc::default() }
    }

    /// Holds at most about this many bytes of messages that have arrived and that the layer does not count yet. Default: 512
    /// MiB. Further ones wait, and hold Envoy back.
    ///
    /// # Example
    ///
    /// ```
    /// use headroom_envoy::ExternalProcessor;
    /// use headroom_tower::PromptCompressionLayer;
    ///
    /// let layer = PromptCompressionLayer::new().max_buffered(256 << 20);
    /// let service = ExternalProcessor::new(layer).max_arriving(128 << 20);
    /// # let _ = service;
    /// ```
    #[must_use]
    pub fn max_arriving(self, bytes: u64) -> Self {
        Self { arriving: ArrivalMemory::new(bytes), ..self }
    }

    /// Calls this for every request whose body was read, before Envoy is answered. It should return at once.
    ///
    /// # Example
    ///
    /// ```
    /// use headroom_envoy::ExternalProcessor;
    /// use headroom_tower::PromptCompressionLayer;
    ///
    /// let service = ExternalProcessor::new(PromptCompressionLayer::new()).on_request(|request| {
    ///     let saved = request.report.report().map_or(0, |report| report.tokens_saved);
    ///     println!("{} {}: {saved} tokens saved", request.method, request.path);
    /// });
    /// # let _ = service;
    /// ```
    #[must_use]
    pub fn on_request(self, watch: impl Fn(&ProcessedRequest<'_>) + Send + Sync + 'static) -> Self {
        Self { watch: Arc::new(watch), ..self }
    }

    /// The response that refuses a caller, with the gRPC status `UNAUTHENTICATED`.
    ///
    /// # Example
    ///
    /// ```
    /// use headroom_envoy::ExternalProcessor;
    ///
    /// let response = ExternalProcessor::unauthenticated("a token is needed");
    /// assert_eq!(response.headers()["grpc-status"], "16");
    /// ```
    #[must_use]
    pub fn unauthenticated(message: &str) -> http::Response<tonic::body::Body> {
        Status::unauthenticated(message).into_http()
    }

    /// Warns once of a body mode in which nothing can be changed.
    fn warn(&self, mode: BodySendMode) {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "requests pass unchanged: the filter's request_body_mode is {mode:?}; set BUFFERED or FULL_DUPLEX_STREAMED"
            );
        }
    }
}

impl NamedService for ExternalProcessor {
    const NAME: &'static str = "envoy.service.ext_proc.v3.ExternalProcessor";
}

impl<B> Service<http::Request<B>> for ExternalProcessor
where
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send> + Send + 'static,
{
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        if request.uri().path() != METHOD {
            return Box::pin(ready(Ok(Status::unimplemented("no such method").into_http())));
        }
        let release = Release::default();
        let process = Process { service: self.clone(), release: release.clone() };
        let meter = self.arriving.meter();
        let request = request.map(|body| MeteredBody::new(body, meter, release));
        Box::pin(async move {
            let codec = ProstCodec::<ProcessingResponse, ProcessingRequest>::new();
            let mut grpc = Grpc::new(codec).max_decoding_message_size(MAX_MESSAGE);
            Ok(grpc.streaming(process, request).await)
        })
    }
}

impl fmt::Debug for ExternalProcessor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExternalProcessor").field("layer", &self.layer).finish_non_exhaustive()
    }
}

/// The method `Process`.
struct Process {
    service: ExternalProcessor,
    release: Release,
}

impl StreamingService<ProcessingRequest> for Process {
    type Response = ProcessingResponse;
    type ResponseStream = ReplyStream;
    type Future = Ready<Result<Response<ReplyStream>, Status>>;

    fn call(&mut self, request: Request<Streaming<ProcessingRequest>>) -> Self::Future {
        let service = self.service.clone();
        let (layer, watch) = (service.layer.clone(), Arc::clone(&service.watch));
        let replies = Replies::default();
        let messages = Messages::new(request.into_inner(), self.release.clone());
        let exchange = Exchange::new(layer, watch, messages, replies.clone());
        let work = async move {
            let end = exchange.run(|mode| service.warn(mode)).await;
            end.map_err(|Interrupted| Status::data_loss("a body broke off"))
        };
        ready(Ok(Response::new(ReplyStream::new(replies, work))))
    }
}
