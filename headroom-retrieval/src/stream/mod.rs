//! Stitches streamed answers.

mod events;
mod out;
mod rounds;

use bytes::Bytes;

pub(crate) use self::out::Out;
use crate::{
    api::{Failure, Head, ProviderFormat, Round, StreamStitcher},
    framing::{Event, Framing, Splitter, exception},
    limits::MAX_EVENT,
};

/// One answer for the client, made of the streams of several rounds.
pub(crate) struct StitchedStream {
    stitch: Box<dyn StreamStitcher>,
    pub(crate) framing: Framing,
    events: Splitter,
    /// Whether the next event is the first of a later round, whose byte order mark is removed.
    strips_mark: bool,
    /// Events that wait until the owner of each call is known.
    waiting: Vec<Event>,
    waiting_bytes: usize,
    /// Events that wait for the end of the round.
    held: Vec<Event>,
    held_bytes: usize,
    /// Whether the provider reported that the stream has failed.
    failed: bool,
    /// Whether the client gets a later round.
    is_hidden: bool,
    out: Out,
}

/// The state of a stream after some of it.
#[derive(Debug)]
pub(crate) enum StreamStep {
    /// The round goes on.
    Read,
    /// The round has ended, and the next step decides about held events.
    Turn(Box<Round>),
    /// The answer has ended.
    Done,
}

impl StitchedStream {
    pub(crate) fn new(wire: &dyn ProviderFormat, head: Head, framing: Framing) -> Self {
        Self {
            stitch: wire.stream(head),
            framing,
            events: Splitter::new(framing),
            strips_mark: false,
            waiting: Vec::new(),
            waiting_bytes: 0,
            held: Vec::new(),
            held_bytes: 0,
            failed: false,
            is_hidden: false,
            out: Out::default(),
        }
    }

    /// Takes the bytes for the client.
    pub(crate) fn take(&mut self) -> Option<Bytes> {
        self.out.take()
    }

    /// Takes in a piece of the stream.
    pub(crate) fn read(&mut self, data: Bytes) -> StreamStep {
        if self.chunk(data) {
            return self.turn();
        }
        if self.events.held() > MAX_EVENT {
            return self.skip();
        }
        StreamStep::Read
    }

    /// Ends the answer with an error event.
    pub(crate) fn fail(&mut self, failure: &Failure) {
        self.out.push(match self.framing {
            Framing::Sse => Bytes::from(self.stitch.failure(failure)),
            Framing::Aws => exception(failure),
        });
    }

    /// Returns the event that keeps the connection alive, if the framing allows one.
    pub(crate) fn ping(&self) -> Option<&'static str> {
        self.stitch.ping().filter(|_| self.framing == Framing::Sse)
    }
}
