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

/// Memory that is taken at once for a body that says it is long; more is taken as it comes.
const RESERVE: u64 = 1 << 20;

/// Reads a body up to a limit, as far as there is memory for it. Nothing that was read is lost, however it ends.
pub(crate) struct Read<B> {
    body: Option<Pin<Box<B>>>,
    first: Bytes,
    more: BytesMut,
    hint: SizeHint,
    limit: u64,
    meter: Option<Meter>,
}

/// How reading ended.
pub(crate) enum ReadEnd<B: Body> {
    /// All of the body.
    Complete(Bytes),
    /// A part of the body, and what follows it.
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
            // What was read last is counted before more is asked for: so a full house holds clients back.
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

    /// Keeps a lone chunk as it is; copies only when a second one comes.
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
