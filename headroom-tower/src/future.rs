use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Request;
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::{HeadroomBody, MapBody, Rewrite};

pin_project! {
    /// The future of [`PromptCompression`](crate::PromptCompression).
    pub struct ResponseFuture<S, B, M>
    where
        S: Service<Request<M::Body>>,
        B: Body,
        M: MapBody<HeadroomBody<B>>,
    {
        #[pin]
        state: ResponseState<S, B, M>,
    }
}

pin_project! {
    #[project = StateProj]
    enum ResponseState<S, B, M>
    where
        S: Service<Request<M::Body>>,
        B: Body,
        M: MapBody<HeadroomBody<B>>,
    {
        Rewriting { rewrite: Rewrite<B>, service: S, map_body: M },
        Calling { #[pin] future: S::Future },
    }
}

impl<S, B, M> ResponseFuture<S, B, M>
where
    S: Service<Request<M::Body>>,
    B: Body,
    M: MapBody<HeadroomBody<B>>,
{
    pub(crate) fn calling(future: S::Future) -> Self {
        Self { state: ResponseState::Calling { future } }
    }

    pub(crate) fn rewriting(rewrite: Rewrite<B>, service: S, map_body: M) -> Self {
        Self { state: ResponseState::Rewriting { rewrite, service, map_body } }
    }
}

impl<S, B, M> Future for ResponseFuture<S, B, M>
where
    S: Service<Request<M::Body>>,
    B: Body,
    M: MapBody<HeadroomBody<B>>,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let future = match state.as_mut().project() {
                StateProj::Calling { future } => return future.poll(cx),
                StateProj::Rewriting { rewrite, service, map_body } => {
                    let (parts, body) = ready!(Pin::new(rewrite).poll(cx)).into_parts();
                    service.call(Request::from_parts(parts, map_body.map_body(body)))
                }
            };
            state.set(ResponseState::Calling { future });
        }
    }
}

impl<S, B, M> fmt::Debug for ResponseFuture<S, B, M>
where
    S: Service<Request<M::Body>>,
    B: Body,
    M: MapBody<HeadroomBody<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            ResponseState::Rewriting { .. } => "rewriting",
            ResponseState::Calling { .. } => "calling",
        };
        f.debug_struct("ResponseFuture").field("state", &state).finish()
    }
}
