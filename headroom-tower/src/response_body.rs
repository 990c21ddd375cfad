use std::{
    fmt,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::{HeadroomBody, body::Tail};

pin_project! {
    /// The response body of [`HeadroomLayer`](crate::HeadroomLayer): the inner service's own, or one answer stitched
    /// from several rounds.
    ///
    /// Its data is [`Bytes`] and its error is `B`'s. It is [`Default`] where `B` is, as outer layers that answer by
    /// themselves require, such as `CorsLayer` and `TimeoutLayer` of `tower-http`.
    ///
    /// # Example
    ///
    /// ```
    /// use headroom_tower::ResponseBody;
    /// use http_body::Body;
    ///
    /// let body = ResponseBody::<http_body_util::Full<bytes::Bytes>>::default();
    /// assert!(body.is_end_stream());
    /// ```
    pub struct ResponseBody<B>
    where
        B: Body,
    {
        #[pin]
        kind: ResponseKind<B>,
    }
}

pin_project! {
    #[project = ResponseKindProj]
    enum ResponseKind<B>
    where
        B: Body,
    {
        Inner { #[pin] body: HeadroomBody<B> },
        Stitched { body: StitchedBody<B::Error> },
    }
}

/// A body stitched from several rounds. The lock is never taken: it makes the body `Sync`, like other bodies.
type StitchedBody<E> = Mutex<Pin<Box<dyn Body<Data = Bytes, Error = E> + Send>>>;

impl<B: Body> ResponseBody<B> {
    pub(crate) fn untouched(body: B) -> Self {
        HeadroomBody::untouched(body).into()
    }

    pub(crate) fn replay(data: Bytes, tail: Tail<B>) -> Self {
        HeadroomBody::replay(data, tail).into()
    }

    pub(crate) fn full(data: Bytes) -> Self {
        HeadroomBody::full(data).into()
    }

    pub(crate) fn stitched(body: impl Body<Data = Bytes, Error = B::Error> + Send + 'static) -> Self {
        Self { kind: ResponseKind::Stitched { body: Mutex::new(Box::pin(body)) } }
    }
}

impl<B: Body> From<HeadroomBody<B>> for ResponseBody<B> {
    fn from(body: HeadroomBody<B>) -> Self {
        Self { kind: ResponseKind::Inner { body } }
    }
}

impl<B: Body + Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::untouched(B::default())
    }
}

impl<B: Body> Body for ResponseBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.project().kind.project() {
            ResponseKindProj::Inner { body } => body.poll_frame(cx),
            ResponseKindProj::Stitched { body } => {
                body.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut().poll_frame(cx)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            ResponseKind::Inner { body } => body.is_end_stream(),
            ResponseKind::Stitched { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            ResponseKind::Inner { body } => body.size_hint(),
            ResponseKind::Stitched { .. } => SizeHint::new(),
        }
    }
}

impl<B: Body> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            ResponseKind::Inner { .. } => "inner",
            ResponseKind::Stitched { .. } => "stitched",
        };
        f.debug_struct("ResponseBody").field("kind", &kind).field("size", &self.size_hint()).finish()
    }
}
