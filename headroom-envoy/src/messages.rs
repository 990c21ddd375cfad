//! What Envoy sends, as parts of a request and as the body of one.

use std::{
    fmt,
    future::poll_fn,
    mem,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio_stream::Stream;
use tonic::Status;

use crate::{
    arrival::Release,
    head,
    proto::{Part, ProcessingRequest},
    replies::Replies,
    reply::{self, Modes},
};

/// The messages of one stream. Clones share it; one of them reads at a time.
pub(crate) struct Messages<S> {
    state: Arc<Mutex<MessageState<S>>>,
    release: Release,
}

struct MessageState<S> {
    /// `None` once it has ended.
    stream: Option<S>,
    /// Whether a message was given since more was asked for.
    was_given: bool,
}

impl<S: Stream<Item = Result<ProcessingRequest, Status>> + Unpin> Messages<S> {
    pub(crate) fn new(stream: S, release: Release) -> Self {
        let state = MessageState { stream: Some(stream), was_given: false };
        Self { state: Arc::new(Mutex::new(state)), release }
    }

    /// The next message; `None` at the end, also if the stream breaks or a message is too long.
    pub(crate) fn poll_message(&self, cx: &mut Context<'_>) -> Poll<Option<ProcessingRequest>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if mem::take(&mut state.was_given) {
            // The layer counts a piece before it asks for more, and whoever holds a whole body asks for nothing.
            self.release.set();
        }
        let Some(stream) = &mut state.stream else {
            return Poll::Ready(None);
        };
        let message = ready!(Pin::new(stream).poll_next(cx)).and_then(Result::ok);
        if message.is_none() {
            state.stream = None;
        }
        state.was_given = message.is_some();
        Poll::Ready(message)
    }

    /// The next part of the request or of its response.
    pub(crate) fn poll_part(&self, cx: &mut Context<'_>) -> Poll<Option<Part>> {
        loop {
            match ready!(self.poll_message(cx)) {
                None => return Poll::Ready(None),
                Some(ProcessingRequest { request: Some(part), .. }) => return Poll::Ready(Some(part)),
                // Nothing but settings of flow control.
                Some(_) => {}
            }
        }
    }

    pub(crate) async fn message(&self) -> Option<ProcessingRequest> {
        poll_fn(|cx| self.poll_message(cx)).await
    }

    pub(crate) async fn part(&self) -> Option<Part> {
        poll_fn(|cx| self.poll_part(cx)).await
    }
}

impl<S> Clone for Messages<S> {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state), release: self.release.clone() }
    }
}

impl<S> fmt::Debug for Messages<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").finish_non_exhaustive()
    }
}

/// The body of a request whose pieces arrive in messages. Reading it answers other messages that come between.
#[derive(Debug)]
pub(crate) struct StreamedBody<S> {
    messages: Messages<S>,
    replies: Replies,
    modes: Modes,
    /// A part that was read before the body was made.
    first: Option<Part>,
    is_over: bool,
}

/// The stream ended before the body did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interrupted;

impl<S> StreamedBody<S> {
    pub(crate) fn new(messages: Messages<S>, replies: Replies, modes: Modes, first: Option<Part>) -> Self {
        Self { messages, replies, modes, first, is_over: false }
    }
}

impl<S: Stream<Item = Result<ProcessingRequest, Status>> + Unpin> Body for StreamedBody<S> {
    type Data = Bytes;
    type Error = Interrupted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Interrupted>>> {
        loop {
            if self.is_over {
                return Poll::Ready(None);
            }
            let part = match self.first.take() {
                Some(part) => Some(part),
                None => ready!(self.messages.poll_part(cx)),
            };
            match part {
                None => {
                    self.is_over = true;
                    return Poll::Ready(Some(Err(Interrupted)));
                }
                Some(Part::RequestBody(part)) => {
                    self.is_over = part.end_of_stream;
                    if !part.body.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(part.body))));
                    }
                }
                Some(Part::RequestTrailers(part)) => {
                    self.is_over = true;
                    let trailers = part.trailers.as_ref().and_then(head::trailers);
                    return Poll::Ready(Some(Ok(Frame::trailers(trailers.unwrap_or_default()))));
                }
                Some(other) => {
                    self.replies.push(reply::unchanged(other, self.modes));
                    // The answer goes first; then this is polled again.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_over
    }
}
