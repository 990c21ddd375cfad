use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use headroom_store::OriginalStore;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    Compress, CompressLayer, DefaultPredicate, HeadroomBody, Identity, MapBody, Predicate, ResponseFuture,
    config::{Config, settings},
};

/// Makes the prompts in LLM requests smaller, and keeps what it set aside in a store of its own.
///
/// This is [`CompressLayer`] with a store, for services that answer with an HTTP response.
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
    compress: CompressLayer<M, P>,
}

impl HeadroomLayer {
    /// A layer with the default settings and a [`MemoryStore`](headroom_store::MemoryStore).
    ///
    /// The services it makes share the store. Layers made by another call do not: clone one layer instead.
    #[cfg(feature = "memory")]
    #[cfg_attr(docsrs, doc(cfg(feature = "memory")))]
    pub fn new() -> Self {
        Self::with_store(headroom_store::MemoryStore::new())
    }

    /// A layer with the default settings and this store.
    pub fn with_store(store: impl OriginalStore) -> Self {
        Self { compress: CompressLayer::new().store(store) }
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

    /// Looks at the requests that this predicate wants, in place of [`DefaultPredicate`].
    pub fn when<Q: Predicate>(self, predicate: Q) -> HeadroomLayer<M, Q> {
        HeadroomLayer { compress: self.compress.when(predicate) }
    }

    /// Gives the inner service another body type, for stacks that name theirs: see [`CompressLayer::map_body`].
    pub fn map_body<N>(self, map_body: N) -> HeadroomLayer<N, P> {
        HeadroomLayer { compress: self.compress.map_body(map_body) }
    }

    fn config(&self) -> &Config {
        self.compress.config()
    }

    fn config_mut(&mut self) -> &mut Config {
        self.compress.config_mut()
    }
}

impl<S, M: Clone, P: Clone> Layer<S> for HeadroomLayer<M, P> {
    type Service = HeadroomService<S, M, P>;

    fn layer(&self, inner: S) -> Self::Service {
        HeadroomService { compress: self.compress.layer(inner) }
    }
}

/// Makes the prompts in LLM requests smaller, and keeps what it set aside in a store of its own.
///
/// Made by [`HeadroomLayer`]. See the [crate docs](crate) for more details.
#[derive(Clone, Debug)]
pub struct HeadroomService<S, M = Identity, P = DefaultPredicate> {
    compress: Compress<S, M, P>,
}

impl<S, M, P> HeadroomService<S, M, P> {
    /// The inner service.
    pub fn get_ref(&self) -> &S {
        self.compress.get_ref()
    }

    /// The inner service.
    pub fn get_mut(&mut self) -> &mut S {
        self.compress.get_mut()
    }

    /// Takes the inner service out.
    pub fn into_inner(self) -> S {
        self.compress.into_inner()
    }
}

impl<S, B, R, M, P> Service<Request<B>> for HeadroomService<S, M, P>
where
    S: Service<Request<M::Body>, Response = Response<R>> + Clone,
    B: Body,
    R: Body,
    M: MapBody<HeadroomBody<B>> + Clone,
    P: Predicate,
{
    type Response = Response<HeadroomBody<R>>;
    type Error = S::Error;
    type Future = HeadroomFuture<S, B, M>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.compress.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        HeadroomFuture { response: self.compress.call(request) }
    }
}

pin_project! {
    /// The future of [`HeadroomService`].
    #[derive(Debug)]
    pub struct HeadroomFuture<S, B, M>
    where
        S: Service<Request<M::Body>>,
        B: Body,
        M: MapBody<HeadroomBody<B>>,
    {
        #[pin]
        response: ResponseFuture<S, B, M>,
    }
}

impl<S, B, R, M> Future for HeadroomFuture<S, B, M>
where
    S: Service<Request<M::Body>, Response = Response<R>>,
    B: Body,
    R: Body,
    M: MapBody<HeadroomBody<B>>,
{
    type Output = Result<Response<HeadroomBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(self.project().response.poll(cx));
        Poll::Ready(response.map(|response| response.map(HeadroomBody::untouched)))
    }
}
