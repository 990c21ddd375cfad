use std::sync::Arc;

use http::{Request, request::Parts};
use http_body::Body;
use tower_layer::Layer;

use crate::{
    DefaultPredicate, Identity, Predicate, PromptCompression, Rewrite, SkipReason,
    config::{Config, settings},
    rewrite::{Decision, admit_head, decide},
};

/// Makes the prompts in LLM requests smaller before the inner service gets them.
///
/// This is the request side alone: it takes any response. Unless the model has its own way to retrieve elided content
/// (see [`retrieval`](Self::retrieval)), only edits that need no retrieval are made.
///
/// # Which requests
///
/// Those that the [predicate](Self::when) accepts; by default every `POST` on the path of a known API or with a JSON
/// body. The layer passes these through without reading a byte: protocol upgrades, requests that carry a signature or
/// digest of their body (AWS SigV4, `Content-Digest` and the like), bodies announced to be over the limit, a
/// `Content-Encoding` that is unknown or whose feature is off, and requests with
/// [`HeadroomOverride::disabled`](crate::HeadroomOverride::disabled).
///
/// # Example
///
/// ```
/// use headroom_core::Tier;
/// use headroom_tower::PromptCompressionLayer;
/// use tower::ServiceBuilder;
///
/// # async fn upstream(_: http::Request<headroom_tower::HeadroomBody<http_body_util::Full<bytes::Bytes>>>)
/// # -> Result<(), std::convert::Infallible> { Ok(()) }
/// let service = ServiceBuilder::new()
///     .layer(PromptCompressionLayer::new().tier(Tier::Dedup))
///     .service_fn(upstream);
/// # let _ = service;
/// ```
///
/// See the [crate docs](crate) for more details.
#[derive(Clone, Debug)]
#[must_use]
pub struct PromptCompressionLayer<M = Identity, P = DefaultPredicate> {
    config: Arc<Config>,
    map_body: M,
    predicate: P,
}

impl PromptCompressionLayer {
    /// Creates a layer with the default settings and no store.
    pub fn new() -> Self {
        Self { config: Arc::new(Config::new()), map_body: Identity, predicate: DefaultPredicate::new() }
    }
}

impl Default for PromptCompressionLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<M, P> PromptCompressionLayer<M, P> {
    settings!();

    /// Keeps elided content in this store.
    ///
    /// While the store fails, nothing that would have to be stored is elided from new tool results. Content that is
    /// already stored stays elided, and the definition of the tool stays, so the provider's prompt cache keeps hitting.
    pub fn store(mut self, store: impl headroom_store::OriginalStore) -> Self {
        self.config_mut().originals = Some(Arc::new(store));
        self
    }

    /// Sets how the model can retrieve elided content. Default:
    /// [`Retrieval::Disabled`](headroom_core::Retrieval::Disabled).
    ///
    /// Nothing is elided without a [store](Self::store), or, for [`Retrieval::File`](headroom_core::Retrieval::File),
    /// without a folder for the files.
    ///
    /// # Example
    ///
    /// ```
    /// use headroom_core::Retrieval;
    /// use headroom_store::MemoryStore;
    /// use headroom_tower::PromptCompressionLayer;
    ///
    /// let store = MemoryStore::new(); // shared with what answers the client's own retrieval tool
    /// let layer = PromptCompressionLayer::new().store(store.clone()).retrieval(Retrieval::ClientTool);
    /// # let _ = layer;
    /// ```
    pub fn retrieval(mut self, retrieval: headroom_core::Retrieval) -> Self {
        self.config_mut().retrieval = retrieval;
        self
    }

    /// Uses this predicate to select requests, in place of [`DefaultPredicate`].
    pub fn when<Q: Predicate>(self, predicate: Q) -> PromptCompressionLayer<M, Q> {
        PromptCompressionLayer { config: self.config, map_body: self.map_body, predicate }
    }

    /// Gives the inner service another body type, for stacks that name their body type.
    ///
    /// # Example
    ///
    /// ```
    /// use axum::{body::Body, extract::Request, middleware::{Next, from_fn}, response::Response, Router};
    /// use headroom_tower::PromptCompressionLayer;
    /// use tower::ServiceBuilder;
    ///
    /// async fn inside(request: Request, next: Next) -> Response {
    ///     next.run(request).await
    /// }
    ///
    /// let layers = ServiceBuilder::new()
    ///     .layer(PromptCompressionLayer::new().map_body(Body::new))
    ///     .layer(from_fn(inside)); // takes axum's body only
    /// let app: Router = Router::new().layer(layers);
    /// # let _ = app;
    /// ```
    pub fn map_body<N>(self, map_body: N) -> PromptCompressionLayer<N, P> {
        PromptCompressionLayer { config: self.config, map_body, predicate: self.predicate }
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn config_mut(&mut self) -> &mut Config {
        Arc::make_mut(&mut self.config)
    }
}

impl<M, P: Predicate> PromptCompressionLayer<M, P> {
    /// Decides from the head of a request whether [`rewrite`](Self::rewrite) would read its body, for gateways that can
    /// choose whether they get it.
    ///
    /// # Errors
    ///
    /// Returns the reason for not reading it.
    ///
    /// # Example
    ///
    /// ```
    /// use headroom_tower::{PromptCompressionLayer, SkipReason};
    ///
    /// let layer = PromptCompressionLayer::new();
    /// let (head, ()) = http::Request::get("/v1/messages").body(()).unwrap().into_parts();
    /// assert_eq!(layer.check(&head), Err(SkipReason::Method));
    /// ```
    pub fn check(&self, parts: &Parts) -> Result<(), SkipReason> {
        admit_head(&self.config, &self.predicate, parts).map(|_| ())
    }

    /// Rewrites one request, for gateways that are not tower stacks.
    ///
    /// The future is `'static`, owns the request and may be dropped at any time, which drops the request too.
    ///
    /// # Example
    ///
    /// ```
    /// use headroom_tower::{PromptCompressionLayer, HeadroomBody};
    /// use http::Request;
    /// use http_body_util::Full;
    /// use bytes::Bytes;
    ///
    /// async fn forward(layer: &PromptCompressionLayer, request: Request<Full<Bytes>>) -> Request<HeadroomBody<Full<Bytes>>> {
    ///     layer.rewrite(request).await
    /// }
    /// # let _ = forward;
    /// ```
    pub fn rewrite<B: Body>(&self, request: Request<B>) -> Rewrite<B> {
        match decide(&self.config, &self.predicate, request) {
            Decision::Pass(request) => Rewrite::<B>::pass(request),
            Decision::Read(rewrite) => rewrite,
        }
    }
}

impl<S, M: Clone, P: Clone> Layer<S> for PromptCompressionLayer<M, P> {
    type Service = PromptCompression<S, M, P>;

    fn layer(&self, inner: S) -> Self::Service {
        PromptCompression::with(
            inner,
            Arc::clone(&self.config),
            self.map_body.clone(),
            self.predicate.clone(),
        )
    }
}
