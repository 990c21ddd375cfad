use std::{
    mem,
    sync::Arc,
    task::{Context, Poll},
};

use http::Request;
use http_body::Body;
use tower_service::Service;

use crate::{
    CompressLayer, DefaultPredicate, HeadroomBody, Identity, MapBody, Predicate, ResponseFuture,
    config::Config,
    rewrite::{Decision, decide},
};

/// Makes the prompts in LLM requests smaller before the inner service gets them.
///
/// Made by [`CompressLayer`]. Cloning it clones the inner service and shares the rest.
///
/// See the [crate docs](crate) for more details.
#[derive(Clone, Debug)]
pub struct Compress<S, M = Identity, P = DefaultPredicate> {
    inner: S,
    config: Arc<Config>,
    map_body: M,
    predicate: P,
}

impl<S> Compress<S> {
    /// Wraps a service with the defaults of [`CompressLayer`].
    pub fn new(inner: S) -> Self {
        tower_layer::Layer::layer(&CompressLayer::new(), inner)
    }

    /// The layer that makes this service.
    pub fn layer() -> CompressLayer {
        CompressLayer::new()
    }
}

impl<S, M, P> Compress<S, M, P> {
    pub(crate) fn with(inner: S, config: Arc<Config>, map_body: M, predicate: P) -> Self {
        Self { inner, config, map_body, predicate }
    }

    /// The inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Takes the inner service out.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, B, M, P> Service<Request<B>> for Compress<S, M, P>
where
    S: Service<Request<M::Body>> + Clone,
    B: Body,
    M: MapBody<HeadroomBody<B>> + Clone,
    P: Predicate,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, B, M>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match decide(&self.config, &self.predicate, request) {
            Decision::Pass(request) => {
                let (parts, body) = request.into_parts();
                let request = Request::from_parts(parts, self.map_body.map_body(body));
                ResponseFuture::calling(self.inner.call(request))
            }
            Decision::Read(rewrite) => {
                // The service that was polled ready must be the one that is called, and a clone may not be ready:
                // https://docs.rs/tower-service/latest/tower_service/trait.Service.html#be-careful-when-cloning-inner-services
                let clone = self.inner.clone();
                let ready = mem::replace(&mut self.inner, clone);
                ResponseFuture::rewriting(rewrite, ready, self.map_body.clone())
            }
        }
    }
}
