//! Stitches answers that are not streamed.

use bytes::{Bytes, BytesMut};

use crate::{
    api::{BufferedStitcher, Head, ProviderFormat, Round},
    limits::MAX_ANSWER,
};

/// Bytes of a body, as they come. A body that comes in one piece is not copied.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    first: Bytes,
    more: BytesMut,
}

impl Collected {
    pub(crate) fn push(&mut self, data: Bytes) {
        if self.len() == 0 {
            self.first = data;
            return;
        }
        self.more.extend_from_slice(&std::mem::take(&mut self.first));
        self.more.extend_from_slice(&data);
    }

    pub(crate) fn len(&self) -> usize {
        self.first.len() + self.more.len()
    }

    pub(crate) fn take(&mut self) -> Bytes {
        let first = std::mem::take(&mut self.first);
        if self.more.is_empty() { first } else { std::mem::take(&mut self.more).freeze() }
    }
}

/// One answer for the client, made of the documents of several rounds.
pub(crate) struct StitchedDocument {
    stitch: Box<dyn BufferedStitcher>,
    body: Collected,
    /// Whether the client gets a later round.
    is_hidden: bool,
}

/// The state of a document after some of it.
#[derive(Debug)]
pub(crate) enum DocumentStep {
    /// The body goes on.
    Read,
    /// The round is complete.
    Turn(Box<Round>),
    /// The client gets the current response as it was received.
    Received,
    /// The provider's answer cannot be read, and the client saw nothing yet.
    Unfinished,
}

impl StitchedDocument {
    pub(crate) fn new(wire: &dyn ProviderFormat, head: Head) -> Self {
        Self { stitch: wire.buffered(head), body: Collected::default(), is_hidden: false }
    }

    /// Takes in a piece of the body.
    pub(crate) fn read(&mut self, data: Bytes) -> DocumentStep {
        self.body.push(data);
        if self.body.len() as u64 > MAX_ANSWER { self.unread() } else { DocumentStep::Read }
    }

    /// Handles the end of the body.
    pub(crate) fn end(&mut self) -> DocumentStep {
        let bytes = self.body.take();
        let Ok(text) = std::str::from_utf8(&bytes) else { return self.unread() };
        let round = self.stitch.add(text);
        match round.filter(|round| self.is_hidden || !round.calls.is_empty()) {
            Some(round) => DocumentStep::Turn(Box::new(round)),
            None => DocumentStep::Received,
        }
    }

    /// Handles a body that cannot be read. The client must not see one of a hidden round.
    pub(crate) fn unread(&mut self) -> DocumentStep {
        self.body = Collected::default();
        if self.is_hidden { DocumentStep::Unfinished } else { DocumentStep::Received }
    }

    /// Begins another round.
    pub(crate) fn again(&mut self) {
        self.is_hidden = true;
    }

    /// Returns the client's answer; `None` if it is that of the last round.
    pub(crate) fn finish(&mut self, give_up: bool) -> Option<String> {
        self.stitch.finish(give_up)
    }
}
