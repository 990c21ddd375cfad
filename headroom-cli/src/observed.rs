//! Bodies that somebody looks at while they pass.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

/// Looks at the data of a body, and changes nothing.
///
/// A trait, because the bodies are named in the bounds of services, and a boxed closure over borrowed frames is not known
/// to be `Send` there.
pub(crate) trait Observer {
    /// Looks at a frame's data.
    fn observe(&mut self, data: &Bytes);
}

pin_project! {
    /// A body that passes unchanged while an [`Observer`] looks at it.
    pub(crate) struct Observed<B, O> {
        #[pin]
        body: B,
        observer: O,
    }
}

impl<B, O: Observer> Observed<B, O> {
    pub(crate) fn new(body: B, observer: O) -> Self {
        Self { body, observer }
    }
}

impl<B, O> Body for Observed<B, O>
where
    B: Body<Data = Bytes>,
    O: Observer,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.body.poll_frame(cx));
        if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            this.observer.observe(data);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B, O> fmt::Debug for Observed<B, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed").finish_non_exhaustive()
    }
}
