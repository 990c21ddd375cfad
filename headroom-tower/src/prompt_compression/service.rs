use std::{
    mem,
    sync::Arc,
    task::{Context, Poll},
};

use http::Request;
use http_body::Body;
use tower_service::Service;

use crate::{
    DefaultPredicate, HeadroomBody, Identity, MapBody, Predicate, PromptCompressionLayer, ResponseFuture,
    Rewrite,
    config::Config,
    rewrite::{Decision, decide},
};

/// Makes the prompts in LLM requests smaller before the inner service gets them.
///
/// Created by [`PromptCompressionLayer`]. Cloning it clones the inner service and shares the rest.
///
/// See the [crate docs](crate) for more details.
#[derive(Clone, Debug)]
pub struct PromptCompression<S, M = Identity, P = DefaultPredicate> {
    inner: S,
    config: Arc<Config>,
    map_body: M,
    predicate: P,
}

impl<S> PromptCompression<S> {
    /// Wraps a service with the defaults of [`PromptCompressionLayer`].
    pub fn new(inner: S) -> Self {
        tower_layer::Layer::layer(&PromptCompressionLayer::new(), inner)
    }

    /// Returns a layer that creates this service, with the default settings.
    pub fn layer() -> PromptCompressionLayer {
        PromptCompressionLayer::new()
    }
}

impl<S, M, P> PromptCompression<S, M, P> {
    pub(crate) fn with(inner: S, config: Arc<Config>, map_body: M, predicate: P) -> Self {
        Self { inner, config, map_body, predicate }
    }

    /// Returns a reference to the inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns a mutable reference to the inner service.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Returns the inner service.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, B, M, P> Service<Request<B>> for PromptCompression<S, M, P>
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
        match self.start(request) {
            RequestState::Calling(future) => ResponseFuture::calling(future),
            RequestState::Rewriting(rewrite, service, map_body) => {
                ResponseFuture::rewriting(rewrite, service, map_body)
            }
        }
    }
}

/// The first state of a call, which the futures take apart at once.
#[allow(clippy::large_enum_variant, reason = "it is taken apart where it is made")]
pub(crate) enum RequestState<S, B: Body, M, F> {
    Calling(F),
    Rewriting(Rewrite<B>, S, M),
}

impl<S, M, P> PromptCompression<S, M, P> {
    pub(crate) fn start<B>(&mut self, request: Request<B>) -> RequestState<S, B, M, S::Future>
    where
        S: Service<Request<M::Body>> + Clone,
        B: Body,
        M: MapBody<HeadroomBody<B>> + Clone,
        P: Predicate,
    {
        match decide(&self.config, &self.predicate, request) {
            Decision::Pass(request) => {
                let (parts, body) = request.into_parts();
                let request = Request::from_parts(parts, self.map_body.map_body(body));
                RequestState::Calling(self.inner.call(request))
            }
            Decision::Read(rewrite) => {
                // Call the service that was polled ready; a clone may not be ready:
                // https://docs.rs/tower-service/latest/tower_service/trait.Service.html#be-careful-when-cloning-inner-services
                let clone = self.inner.clone();
                let ready = mem::replace(&mut self.inner, clone);
                RequestState::Rewriting(rewrite, ready, self.map_body.clone())
            }
        }
    }
}
