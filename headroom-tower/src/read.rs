use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use http_body::{Body, SizeHint};

use crate::{
    body::{Tail, beyond},
    memory::Meter,
};

/// Memory allocated up front for a body that announces a great length; the rest is allocated as it arrives.
const RESERVE: u64 = 1 << 20;

/// Reads a body up to a limit, as memory allows. No byte that was read is lost, however reading ends.
pub(crate) struct Read<B> {
    body: Option<Pin<Box<B>>>,
    first: Bytes,
    more: BytesMut,
    hint: SizeHint,
    limit: u64,
    meter: Option<Meter>,
}

/// The end of reading.
pub(crate) enum ReadEnd<B: Body> {
    /// The whole body.
    Complete(Bytes),
    /// The first part of the body, and its tail.
    Partial(Bytes, Tail<B>),
}

impl<B: Body> Read<B> {
    pub(crate) fn new(body: B, limit: u64) -> Self {
        let hint = body.size_hint();
        Self {
            body: Some(Box::pin(body)),
            first: Bytes::new(),
            more: BytesMut::new(),
            hint,
            limit,
            meter: None,
        }
    }

    /// Takes the memory for the body from this meter.
    pub(crate) fn metered(mut self, meter: Meter) -> Self {
        self.meter = Some(meter);
        self
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ReadEnd<B>> {
        loop {
            // Count the last chunk before asking for more, so that full memory holds clients back.
            let length = self.len();
            if let Some(meter) = &mut self.meter {
                ready!(meter.poll(length, cx));
            }
            let Some(body) = &mut self.body else {
                return Poll::Pending;
            };
            let frame = match ready!(body.as_mut().poll_frame(cx)) {
                None => {
                    self.body = None;
                    return Poll::Ready(ReadEnd::Complete(self.take()));
                }
                Some(Err(error)) => {
                    self.body = None;
                    let hint = beyond(self.len(), &self.hint);
                    return Poll::Ready(ReadEnd::Partial(self.take(), Tail::Error(error, hint)));
                }
                Some(Ok(frame)) => frame,
            };
            match frame.into_data() {
                Ok(data) => self.push(data),
                Err(frame) => {
                    if let Ok(trailers) = frame.into_trailers() {
                        self.body = None;
                        let hint = beyond(self.len(), &self.hint);
                        return Poll::Ready(ReadEnd::Partial(
                            self.take(),
                            Tail::Trailers(Box::new(trailers), hint),
                        ));
                    }
                }
            }
            if self.len() > self.limit {
                let data = self.take();
                return match self.body.take() {
                    Some(body) => Poll::Ready(ReadEnd::Partial(data, Tail::Rest(body))),
                    None => Poll::Pending,
                };
            }
        }
    }

    fn len(&self) -> u64 {
        (self.first.len() + self.more.len()) as u64
    }

    /// Keeps a single chunk as it is; copies only from the second on.
    fn push(&mut self, mut data: impl Buf) {
        if !data.has_remaining() {
            return;
        }
        if self.len() == 0 {
            self.first = data.copy_to_bytes(data.remaining());
            return;
        }
        if self.more.is_empty() {
            let expected = self.hint.lower().min(RESERVE).min(self.limit);
            let needed = self.first.len() + data.remaining();
            self.more.reserve(usize::try_from(expected).unwrap_or(0).max(needed));
            self.more.extend_from_slice(&std::mem::take(&mut self.first));
        }
        while data.has_remaining() {
            let chunk = data.chunk();
            self.more.extend_from_slice(chunk);
            let taken = chunk.len();
            data.advance(taken);
        }
    }

    fn take(&mut self) -> Bytes {
        let first = std::mem::take(&mut self.first);
        let read = if self.more.is_empty() { first } else { std::mem::take(&mut self.more).freeze() };
        match &mut self.meter {
            Some(meter) => meter.hold(read),
            None => read,
        }
    }
}
