//! Times out bodies that stall.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};
use tower::BoxError;

pin_project! {
    /// A body that fails after receiving nothing for too long.
    ///
    /// Only time in which the body itself has no data counts; pauses of a reader whose own side is full do not.
    /// (tower-http's `TimeoutBody` counts such pauses and hides the body's length.)
    pub(super) struct IdleTimeout<B> {
        #[pin]
        body: B,
        limit: Duration,
        #[pin]
        timer: Option<Sleep>,
        failure: Arc<OnceLock<BodyFailure>>,
    }
}

/// Why a body is incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFailure {
    /// Nothing arrived for this long.
    Idle(Duration),
    /// It broke off, or its chunks are malformed.
    Broken,
}

/// Nothing of a body arrived for this long.
#[derive(Debug, thiserror::Error)]
#[error("nothing of the body arrived for {} s", .0.as_secs())]
pub(super) struct IdleTimeoutError(Duration);

impl<B> IdleTimeout<B> {
    pub(super) fn new(body: B, limit: Duration) -> Self {
        Self { body, limit, timer: None, failure: Arc::default() }
    }

    /// A handle that shows whether and why the body failed, also after it was moved.
    pub(super) fn failure(&self) -> Arc<OnceLock<BodyFailure>> {
        Arc::clone(&self.failure)
    }
}

impl<B> Body for IdleTimeout<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        if let Poll::Ready(frame) = this.body.poll_frame(cx) {
            this.timer.set(None);
            return Poll::Ready(frame.map(|frame| {
                frame.map_err(|error| {
                    let _ = this.failure.set(BodyFailure::Broken);
                    error.into()
                })
            }));
        }
        if this.timer.is_none() {
            this.timer.set(Some(sleep(*this.limit)));
        }
        let Some(timer) = this.timer.as_mut().as_pin_mut() else { return Poll::Pending };
        timer.poll(cx).map(|()| {
            let _ = this.failure.set(BodyFailure::Idle(*this.limit));
            Some(Err(IdleTimeoutError(*this.limit).into()))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full, StreamBody};
    use tokio::{sync::mpsc, time::Instant};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    type Sender = mpsc::UnboundedSender<Result<Frame<Bytes>, BoxError>>;

    fn channel() -> (Sender, Pin<Box<IdleTimeout<impl Body<Data = Bytes, Error = BoxError>>>>) {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let stream = futures_util::stream::poll_fn(move |cx| receiver.poll_recv(cx));
        (sender, Box::pin(IdleTimeout::new(StreamBody::new(stream), LIMIT)))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stands_still_fails_and_says_so() {
        let (sender, mut body) = channel();
        let failure = body.failure();
        sender.send(Ok(Frame::data("a".into()))).unwrap();
        assert!(body.frame().await.unwrap().is_ok());
        let start = Instant::now();
        assert!(body.frame().await.unwrap().unwrap_err().is::<IdleTimeoutError>());
        assert_eq!((start.elapsed(), failure.get()), (LIMIT, Some(&BodyFailure::Idle(LIMIT))));
    }

    #[tokio::test(start_paused = true)]
    async fn each_frame_starts_the_time_anew_and_pauses_of_the_reader_do_not_count() {
        let (sender, mut body) = channel();
        for _ in 0..3 {
            assert!(tokio::time::timeout(LIMIT - Duration::from_secs(1), body.frame()).await.is_err());
            sender.send(Ok(Frame::data("a".into()))).unwrap();
            // The data arrived in time but is read late.
            tokio::time::sleep(LIMIT * 2).await;
            assert!(body.frame().await.unwrap().is_ok());
        }
        drop(sender);
        assert!(body.frame().await.is_none());
        assert_eq!(body.failure().get(), None);
    }

    #[tokio::test]
    async fn the_length_shows_and_what_breaks_off_is_told_from_what_stands_still() {
        assert_eq!(IdleTimeout::new(Full::new(Bytes::from("abc")), LIMIT).size_hint().exact(), Some(3));
        let (sender, mut body) = channel();
        sender.send(Err("broken".into())).unwrap();
        assert!(body.frame().await.unwrap().is_err());
        assert_eq!(body.failure().get(), Some(&BodyFailure::Broken));
    }
}
