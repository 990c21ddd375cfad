use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use headroom_core::Retrieval;
use headroom_retrieval::{KnownOriginals, unknown_thread};
use headroom_store::{OriginalStore, Store};
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    DefaultPredicate, HeadroomBody, Identity, MapBody, Predicate, PromptCompression, PromptCompressionLayer,
    RequestReport, ResponseBody, Rewrite,
    config::{Config, settings},
    prompt_compression::RequestState,
    server_tool::{Replayer, Respond, respond},
};

/// The default way for the model to retrieve elided content.
const RETRIEVAL: Retrieval = Retrieval::ServerTool;

/// Makes the prompts in LLM requests smaller, and keeps the elided content in a store of its own.
///
/// This is [`PromptCompressionLayer`] with a store, for services that answer with an HTTP response.
///
/// # Example
///
/// ```
/// use axum::{Router, routing::post};
/// use headroom_tower::HeadroomLayer;
///
/// let app: Router = Router::new()
///     .route("/v1/messages", post(async || "proxied"))
///     .layer(HeadroomLayer::new());
/// # let _ = app;
/// ```
///
/// See the [crate docs](crate) for more details.
#[derive(Clone, Debug)]
#[must_use]
pub struct HeadroomLayer<M = Identity, P = DefaultPredicate> {
    compress: PromptCompressionLayer<M, P>,
}

impl HeadroomLayer {
    /// Creates a layer with the default settings and a [`MemoryStore`](headroom_store::MemoryStore).
    ///
    /// The layer's services share the store. Layers created by another call do not: clone one layer instead.
    ///
    /// The store ends with the process. A conversation can then continue, but without the content that the model
    /// retrieved in it and the thinking that followed. A persistent store, or one shared by replicas, keeps both.
    #[cfg(feature = "memory")]
    #[cfg_attr(docsrs, doc(cfg(feature = "memory")))]
    pub fn new() -> Self {
        Self::with_store(headroom_store::MemoryStore::new())
    }

    /// Creates a layer with the default settings and this store.
    ///
    /// # Example
    ///
    /// ```
    /// use headroom_store::MemoryStore;
    /// use headroom_tower::HeadroomLayer;
    ///
    /// let store = MemoryStore::new(); // shared with what else reads it
    /// let layer = HeadroomLayer::with_store(store.clone());
    /// # let _ = layer;
    /// ```
    pub fn with_store(store: impl Store) -> Self {
        let mut layer = Self { compress: PromptCompressionLayer::new().retrieval(RETRIEVAL) }.store(store);
        layer.config_mut().sees_answers = true;
        layer
    }
}

#[cfg(feature = "memory")]
impl Default for HeadroomLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<M, P> HeadroomLayer<M, P> {
    settings!();

    /// Keeps elided content in this store, and records of hidden exchanges.
    ///
    /// While the store fails, nothing that would have to be stored is elided from new tool results. Content that is
    /// already stored stays elided, and the definition of the tool stays, so the provider's prompt cache keeps hitting.
    pub fn store(mut self, store: impl Store) -> Self {
        let store = Arc::new(store);
        self.config_mut().exchanges = Some(store.clone());
        self.config_mut().originals = Some(store);
        self
    }

    /// Says that other processes use the same store and may get the next request of any conversation.
    ///
    /// A block that was sent in full because the store failed is then elided by the first request after the failure, in
    /// whichever process it arrives; otherwise it stays in full for as long as this process lives. Default: `false`.
    pub fn shared_store(mut self, is_shared: bool) -> Self {
        let known = if is_shared { KnownOriginals::shared() } else { KnownOriginals::new() };
        self.config_mut().known = Arc::new(known);
        self
    }

    /// Sets how the model can retrieve elided content.
    ///
    /// With [`Retrieval::ServerTool`] the layer adds a tool of its own to requests that have tools, answers its calls
    /// from the store, and gives the client one answer that shows none of this. If an answer could not be stitched, the
    /// request is treated as with [`Retrieval::Disabled`]. [`Retrieval::File`] needs a folder for the files.
    pub fn retrieval(mut self, retrieval: Retrieval) -> Self {
        self.config_mut().retrieval = retrieval;
        self
    }

    /// Sends this many per cent of the conversations untouched, for their whole life, as a control group. Default: 0.
    ///
    /// A conversation is chosen by what it holds before the model's first answer, so every process and replica chooses
    /// the same. [`RequestReport::conversation`](crate::RequestReport::conversation) tells which conversation a request
    /// belongs to, and [`SkipReason::Holdout`](crate::SkipReason::Holdout) that it is in the group. Conversations that
    /// the provider keeps (`store`, `previous_response_id`, message threads) are in neither group.
    ///
    /// In conversations that are open while this changes, results may change their form once.
    pub fn holdout(mut self, percent: u8) -> Self {
        self.config_mut().holdout = percent.min(100);
        self
    }

    /// Leaves the definitions of these tools out of conversations that begin from now on; `mcp__github__*` stands for all
    /// that begin so. Default: none. See [`CompressOptions::drop_tools`](headroom_core::CompressOptions::drop_tools) for
    /// those that stay.
    ///
    /// The first request of a conversation decides for all of it, and a note of that is in the store: a conversation that
    /// began before keeps its tools, and one that began with this setting leaves them out after the setting was changed
    /// to other tools. Where the note cannot be stored, or the request does not tell the whole conversation, all stay.
    ///
    /// ```
    /// use headroom_tower::HeadroomLayer;
    ///
    /// let layer = HeadroomLayer::new().drop_tools(["WebSearch", "mcp__github__*"]);
    /// # let _ = layer;
    /// ```
    pub fn drop_tools(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.config_mut().drop_tools = Arc::new(names.into_iter().map(Into::into).collect());
        self
    }

    /// Uses this predicate to select requests, in place of [`DefaultPredicate`].
    pub fn when<Q: Predicate>(self, predicate: Q) -> HeadroomLayer<M, Q> {
        HeadroomLayer { compress: self.compress.when(predicate) }
    }

    /// Gives the inner service another body type: see [`PromptCompressionLayer::map_body`].
    pub fn map_body<N>(self, map_body: N) -> HeadroomLayer<N, P> {
        HeadroomLayer { compress: self.compress.map_body(map_body) }
    }

    /// Returns the request side alone, with the same engine, store, observer and settings, for requests whose answers
    /// the layer does not see.
    ///
    /// Nobody would answer the model's calls of the layer's tool, so [`Retrieval::ServerTool`] is [`Retrieval::Disabled`]
    /// there. [`holdout`](Self::holdout) and [`drop_tools`](Self::drop_tools), which go by conversations, have no effect.
    ///
    /// # Example
    ///
    /// ```
    /// use headroom_core::Retrieval;
    /// use headroom_tower::HeadroomLayer;
    ///
    /// let proxied = HeadroomLayer::new();
    /// let batches = proxied.request_only().retrieval(Retrieval::Disabled); // the same memory and counters
    /// # let _ = batches;
    /// ```
    pub fn request_only(&self) -> PromptCompressionLayer<Identity, P>
    where
        M: Clone,
        P: Clone,
    {
        let mut layer = self.compress.clone().map_body(Identity);
        layer.config_mut().sees_answers = false;
        layer
    }

    /// Returns the store for elided content.
    #[must_use]
    pub fn originals(&self) -> Option<Arc<dyn OriginalStore>> {
        self.config().originals.clone()
    }

    fn config(&self) -> &Config {
        self.compress.config()
    }

    pub(crate) fn config_mut(&mut self) -> &mut Config {
        self.compress.config_mut()
    }
}

impl<S, M: Clone, P: Clone> Layer<S> for HeadroomLayer<M, P> {
    type Service = Headroom<S, M, P>;

    fn layer(&self, inner: S) -> Self::Service {
        Headroom { compress: self.compress.layer(inner) }
    }
}

/// Makes the prompts in LLM requests smaller, and keeps the elided content in a store of its own.
///
/// Created by [`HeadroomLayer`]. See the [crate docs](crate) for more details.
#[derive(Clone, Debug)]
pub struct Headroom<S, M = Identity, P = DefaultPredicate> {
    compress: PromptCompression<S, M, P>,
}

impl<S, M, P> Headroom<S, M, P> {
    /// Returns a reference to the inner service.
    pub fn get_ref(&self) -> &S {
        self.compress.get_ref()
    }

    /// Returns a mutable reference to the inner service.
    pub fn get_mut(&mut self) -> &mut S {
        self.compress.get_mut()
    }

    /// Returns the inner service.
    pub fn into_inner(self) -> S {
        self.compress.into_inner()
    }
}

impl<S, B, R, M, P> Service<Request<B>> for Headroom<S, M, P>
where
    S: Service<Request<M::Body>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Send,
    B: Body + 'static,
    R: Body + Send + 'static,
    R::Data: Send,
    R::Error: Send,
    M: MapBody<HeadroomBody<B>> + Clone + Send + 'static,
    P: Predicate,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = HeadroomFuture<S, B, R, M>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.compress.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let state = match self.compress.start(request) {
            RequestState::Calling(future) => HeadroomState::Calling { future },
            RequestState::Rewriting(rewrite, service, map_body) => {
                HeadroomState::Rewriting { rewrite, service, map_body }
            }
        };
        HeadroomFuture { state }
    }
}

pin_project! {
    /// The future of [`Headroom`].
    pub struct HeadroomFuture<S, B, R, M>
    where
        S: Service<Request<M::Body>>,
        B: Body,
        R: Body,
        M: MapBody<HeadroomBody<B>>,
    {
        #[pin]
        state: HeadroomState<S, B, R, M>,
    }
}

pin_project! {
    #[project = StateProj]
    enum HeadroomState<S, B, R, M>
    where
        S: Service<Request<M::Body>>,
        B: Body,
        R: Body,
        M: MapBody<HeadroomBody<B>>,
    {
        Rewriting { rewrite: Rewrite<B>, service: S, map_body: M },
        Calling { #[pin] future: S::Future },
        Serving { serving: Respond<R, S::Error> },
    }
}

impl<S, B, R, M> Future for HeadroomFuture<S, B, R, M>
where
    S: Service<Request<M::Body>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Send,
    B: Body + 'static,
    R: Body + Send + 'static,
    R::Data: Send,
    R::Error: Send,
    M: MapBody<HeadroomBody<B>> + Clone + Send + 'static,
{
    type Output = Result<Response<ResponseBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProj::Calling { future } => {
                    let response = ready!(future.poll(cx));
                    return Poll::Ready(response.map(|response| response.map(ResponseBody::untouched)));
                }
                StateProj::Serving { serving } => return serving.as_mut().poll(cx),
                StateProj::Rewriting { rewrite, service, map_body } => {
                    let (mut parts, body) = ready!(Pin::new(&mut *rewrite).poll(cx)).into_parts();
                    if rewrite.rejects_thread() {
                        let mut response = unknown_thread().map(ResponseBody::full);
                        if let Some(report) = parts.extensions.remove::<RequestReport>() {
                            response.extensions_mut().insert(report);
                        }
                        return Poll::Ready(Ok(response));
                    }
                    let sent = rewrite.take_sent();
                    let again = sent.map(|sent| (sent, Replayer::new(service.clone(), map_body.clone())));
                    let future = service.call(Request::from_parts(parts, map_body.map_body(body)));
                    match again {
                        None => HeadroomState::Calling { future },
                        Some((sent, again)) => {
                            HeadroomState::Serving { serving: Box::pin(respond(future, again, sent)) }
                        }
                    }
                }
            };
            state.set(next);
        }
    }
}

impl<S, B, R, M> fmt::Debug for HeadroomFuture<S, B, R, M>
where
    S: Service<Request<M::Body>>,
    B: Body,
    R: Body,
    M: MapBody<HeadroomBody<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            HeadroomState::Rewriting { .. } => "rewriting",
            HeadroomState::Calling { .. } => "calling",
            HeadroomState::Serving { .. } => "serving",
        };
        f.debug_struct("HeadroomFuture").field("state", &state).finish()
    }
}
