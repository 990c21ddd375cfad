//! The end of a round, and the step to the next.

use bytes::Bytes;

use super::{StitchedStream, StreamStep};
use crate::{
    api::{Failure, RETRIEVE},
    framing::{Event, Framing, Splitter},
};

impl StitchedStream {
    pub(super) fn turn(&mut self) -> StreamStep {
        let round = self.stitch.round();
        if let (false, Some(ping)) = (round.calls.is_empty() || round.others, self.ping()) {
            self.out.push(Bytes::from_static(ping.as_bytes()));
        }
        StreamStep::Turn(Box::new(round))
    }

    /// Begins another round.
    pub(crate) fn again(&mut self) {
        self.held.clear();
        self.held_bytes = 0;
        self.events = Splitter::new(self.framing);
        self.strips_mark = true;
        self.is_hidden = true;
        self.stitch.again();
    }

    /// Releases the end of the last round. What follows in its stream passes unread.
    pub(crate) fn finish(&mut self, give_up: bool) {
        let mut out = Vec::new();
        self.let_go(give_up, &mut out);
        out.push(self.events.take());
        out.into_iter().for_each(|bytes| self.out.push(bytes));
    }

    /// Handles the end of a round's body.
    pub(crate) fn end(&mut self, is_damaged: bool) -> StreamStep {
        let mut passing = Vec::new();
        let rest = self.end_events(&mut passing);
        self.stitch.close();
        let cut = passing.last().is_some_and(|last| !is_terminated(last));
        passing.into_iter().for_each(|bytes| self.out.push(bytes));
        let goes_on = self.has_ended() || is_damaged || self.is_hidden;
        if cut && goes_on && self.framing == Framing::Sse {
            // End the event, so that the next one does not become part of it.
            self.out.push(Bytes::from_static(b"\n\n"));
        }
        if self.has_ended() {
            return self.turn();
        }
        if is_damaged {
            self.fail(&Failure::unreachable());
        } else if !self.is_hidden {
            self.flush(rest);
        } else if !self.failed {
            self.fail(&Failure::unreachable());
        }
        StreamStep::Done
    }

    /// Handles waiting events at the end of a body: the last may lack the empty line. Returns the rest, which is not an
    /// event.
    fn end_events(&mut self, passing: &mut Vec<Bytes>) -> Bytes {
        let mut rest = self.events.take();
        let event = Event::new(self.framing, rest.clone());
        let is_whole = event.data().is_some_and(|data| self.stitch.reads(data));
        if is_whole && self.framing == Framing::Sse {
            rest.clear();
            self.admit(event, passing);
        }
        self.settle(passing);
        rest
    }

    /// Releases a first round that has no end.
    fn flush(&mut self, rest: Bytes) {
        let mut out = Vec::new();
        self.let_go(false, &mut out);
        // The owner of a truncated event is unknown, unless it names our tool.
        if memchr::memmem::find(&rest, RETRIEVE.as_bytes()).is_none() {
            out.push(rest);
        }
        out.into_iter().for_each(|bytes| self.out.push(bytes));
    }

    /// Handles a round's body that broke off.
    pub(crate) fn break_off(&mut self) {
        if !self.is_hidden {
            let mut passing = Vec::new();
            let rest = self.end_events(&mut passing);
            passing.into_iter().for_each(|bytes| self.out.push(bytes));
            self.flush(rest);
        }
    }

    /// Handles an event that is too long to read.
    pub(super) fn skip(&mut self) -> StreamStep {
        if self.is_hidden {
            // The client might get an event of a hidden answer.
            self.fail(&Failure::unreachable());
            return StreamStep::Done;
        }
        let mut passing = Vec::new();
        self.settle(&mut passing);
        passing.push(self.events.skip());
        passing.into_iter().for_each(|bytes| self.out.push(bytes));
        StreamStep::Read
    }
}

/// Whether the bytes of an event end with an empty line.
fn is_terminated(event: &[u8]) -> bool {
    [&b"\n\n"[..], b"\r\r", b"\n\r\n", b"\n\r"].iter().any(|end| event.ends_with(end))
}
