//! The provider, for more than one request.

use std::{
    fmt,
    future::{Future, poll_fn},
    marker::PhantomData,
};

use bytes::Bytes;
use http::{Request, Response, request::Parts};
use http_body::Body;
use tower_service::Service;

use crate::{HeadroomBody, MapBody};

/// A service that can be called again.
pub(crate) trait Upstream<R>: Send + 'static {
    type Error: Send;

    fn ask(
        &mut self,
        parts: Parts,
        body: Bytes,
    ) -> impl Future<Output = Result<Response<R>, Self::Error>> + Send;
}

/// The inner service, for further calls.
pub(crate) struct Replayer<S, M, B> {
    service: S,
    map_body: M,
    body: PhantomData<fn() -> B>,
}

impl<S, M, B> Replayer<S, M, B> {
    pub(crate) fn new(service: S, map_body: M) -> Self {
        Self { service, map_body, body: PhantomData }
    }
}

impl<S, M, B> fmt::Debug for Replayer<S, M, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replayer").finish_non_exhaustive()
    }
}

impl<S, M, B, R> Upstream<R> for Replayer<S, M, B>
where
    S: Service<Request<M::Body>, Response = Response<R>> + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    M: MapBody<HeadroomBody<B>> + Send + 'static,
    B: Body + 'static,
{
    type Error = S::Error;

    async fn ask(&mut self, parts: Parts, body: Bytes) -> Result<Response<R>, S::Error> {
        poll_fn(|cx| self.service.poll_ready(cx)).await?;
        let request = Request::from_parts(parts, self.map_body.map_body(HeadroomBody::full(body)));
        let response = self.service.call(request);
        response.await
    }
}
