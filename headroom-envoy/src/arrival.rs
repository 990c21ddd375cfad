//! The memory of messages that arrive.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use headroom_tower::ArrivalMeter;
use http_body::{Body, Frame, SizeHint};

/// Tells a [`MeteredBody`] that what it gave before is no longer held, or is counted elsewhere.
#[derive(Clone, Debug, Default)]
pub(crate) struct Release(Arc<AtomicBool>);

impl Release {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

/// The body of a call, which is read as far as there is room.
#[derive(Debug)]
pub(crate) struct MeteredBody<B> {
    body: Pin<Box<B>>,
    meter: ArrivalMeter,
    release: Release,
    /// Bytes since the last release.
    held: u64,
}

impl<B> MeteredBody<B> {
    pub(crate) fn new(body: B, meter: ArrivalMeter, release: Release) -> Self {
        Self { body: Box::pin(body), meter, release, held: 0 }
    }
}

impl<B: Body<Data = Bytes>> Body for MeteredBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if self.release.take() {
            self.meter.clear();
            self.held = 0;
        }
        let held = self.held;
        ready!(self.meter.poll_room(held, cx));
        let frame = ready!(self.body.as_mut().poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            self.held += frame.data_ref().map_or(0, Bytes::len) as u64;
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
