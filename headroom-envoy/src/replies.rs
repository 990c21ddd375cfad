//! The stream of answers: what one future wrote, in its order.

use std::{
    collections::VecDeque,
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use tokio_stream::Stream;
use tonic::Status;

use crate::proto::ProcessingResponse;

/// Answers that were not taken yet. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replies(Arc<Mutex<VecDeque<ProcessingResponse>>>);

impl Replies {
    /// Adds an answer without waiting.
    pub(crate) fn push(&self, reply: ProcessingResponse) {
        self.with(|replies| replies.push_back(reply));
    }

    /// Adds an answer and waits until it and those before were taken.
    pub(crate) async fn send(&self, reply: ProcessingResponse) {
        self.push(reply);
        // Nothing wakes this: the stream polls the future again once it has nothing left.
        poll_fn(|_| if self.is_empty() { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.with(|replies| replies.is_empty())
    }

    fn take(&self) -> Option<ProcessingResponse> {
        self.with(VecDeque::pop_front)
    }

    fn with<T>(&self, see: impl FnOnce(&mut VecDeque<ProcessingResponse>) -> T) -> T {
        see(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What writes answers.
type Work = Pin<Box<dyn Future<Output = Result<(), Status>> + Send>>;

/// Runs a future and gives what it writes, until it ends. The future goes on only when all of that was taken, so that
/// answers which nobody takes do not pile up. An error ends the stream with its status. Dropping the stream drops the future.
pub(crate) struct ReplyStream {
    replies: Replies,
    work: Option<Work>,
}

impl ReplyStream {
    pub(crate) fn new(
        replies: Replies,
        work: impl Future<Output = Result<(), Status>> + Send + 'static,
    ) -> Self {
        Self { replies, work: Some(Box::pin(work)) }
    }
}

impl Stream for ReplyStream {
    type Item = Result<ProcessingResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(reply) = self.replies.take() {
                return Poll::Ready(Some(Ok(reply)));
            }
            let Some(work) = &mut self.work else {
                return Poll::Ready(None);
            };
            match work.as_mut().poll(cx) {
                Poll::Ready(Ok(())) => self.work = None,
                Poll::Ready(Err(status)) => {
                    self.work = None;
                    return Poll::Ready(Some(Err(status)));
                }
                Poll::Pending if self.replies.is_empty() => return Poll::Pending,
                Poll::Pending => {}
            }
        }
    }
}

impl fmt::Debug for ReplyStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyStream").field("is_over", &self.work.is_none()).finish_non_exhaustive()
    }
}
